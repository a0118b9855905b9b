//! The registrar's own table of bindings, by its module `usrloc`: looked at and changed behind everybody's back. What a test finds
//! here is the truth that a verification is held to.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::jsonrpc::call;
use super::kamailio::Kamailio;

/// A binding as the registrar stores it. Two that are equal were made by the same REGISTER.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Bound {
    /// The Contact URI.
    pub(crate) contact: String,
    /// The Call-ID of the REGISTER that made it.
    pub(crate) call_id: String,
    /// The CSeq of that REGISTER.
    pub(crate) sequence: u64,
}

impl Kamailio {
    /// Where it takes orders, as `regprobe` is told.
    pub(crate) fn rpc(&self) -> SocketAddr {
        self.tcp()
    }

    /// The bindings of a user, in the order of their Contacts.
    pub(crate) fn bound(&self, user: &str) -> Vec<Bound> {
        let Ok(record) = call(self.rpc(), "ul.lookup", &json!([TABLE, user])) else {
            return Vec::new();
        };
        let contacts = record["Contacts"].as_array().expect("a record has Contacts");
        let mut bound: Vec<_> = contacts.iter().map(|contact| Bound::of(&contact["Contact"])).collect();
        bound.sort_unstable();
        bound
    }

    /// The Contact URIs of a user, in order.
    pub(crate) fn contacts(&self, user: &str) -> Vec<String> {
        self.bound(user).into_iter().map(|bound| bound.contact).collect()
    }

    /// Binds a Contact for an hour, without any REGISTER.
    pub(crate) fn bind(&self, user: &str, contact: &str) {
        let no_path = ".";
        let order = json!([TABLE, user, contact, 3600, 1.0, no_path, 0, 0, ALL_METHODS]);
        call(self.rpc(), "ul.add", &order).unwrap_or_else(|refusal| panic!("ul.add {contact}: {refusal:?}"));
    }

    /// Removes one Contact.
    pub(crate) fn unbind(&self, user: &str, contact: &str) {
        let done = call(self.rpc(), "ul.rm_contact", &json!([TABLE, user, contact]));
        done.unwrap_or_else(|refusal| panic!("ul.rm_contact {contact}: {refusal:?}"));
    }

    /// Removes all that is bound.
    pub(crate) fn unbind_all(&self, user: &str) {
        let done = call(self.rpc(), "ul.rm", &json!([TABLE, user]));
        done.unwrap_or_else(|refusal| panic!("ul.rm {user}: {refusal:?}"));
    }
}

impl Bound {
    fn of(contact: &Value) -> Self {
        let text = |key: &str| contact[key].as_str().unwrap_or_else(|| panic!("no {key}: {contact}")).to_owned();
        Self {
            contact: text("Address"),
            call_id: text("Call-ID"),
            sequence: contact["CSeq"].as_u64().unwrap_or_else(|| panic!("no CSeq: {contact}")),
        }
    }
}

const TABLE: &str = "location";
const ALL_METHODS: u32 = u32::MAX;
