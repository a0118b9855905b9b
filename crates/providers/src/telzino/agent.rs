//! The identifier of an agent: a UUID (RFC 9562 §4). Not a generator of any.

use std::fmt;
use std::str::FromStr;

/// The identifier of an agent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentId(String);

/// A text that identifies no agent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an agent's id is a UUID such as 123e4567-e89b-12d3-a456-426614174000")]
pub struct NoAgentId;

impl AgentId {
    /// As it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AgentId {
    type Err = NoAgentId;

    fn from_str(text: &str) -> Result<Self, NoAgentId> {
        const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];
        let text = text.trim();
        let hexadecimal = |group: &str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
        let groups = text.split('-').map(|group| hexadecimal(group).then_some(group.len()));
        if groups.eq(GROUPS.map(Some)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NoAgentId)
        }
    }
}

impl fmt::Display for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agents_id_is_a_uuid_and_nothing_else() {
        for good in ["123e4567-e89b-12d3-a456-426614174000", " 123E4567-E89B-12D3-A456-426614174000\n"] {
            assert_eq!(good.parse::<AgentId>().unwrap().as_str(), good.trim());
        }
        for bad in [
            "",
            "123e4567e89b12d3a456426614174000",
            "123e4567-e89b-12d3-a456-42661417400",
            "123e4567-e89b-12d3-a456-42661417400g",
            "123e4567-e89b-12d3-a456-426614174000-",
            "{123e4567-e89b-12d3-a456-426614174000}",
            "../../oauth/token",
            "１23e4567-e89b-12d3-a456-426614174000",
        ] {
            assert_eq!(bad.parse::<AgentId>(), Err(NoAgentId), "{bad}");
        }
    }
}
