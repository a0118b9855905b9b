//! What a SIPp registrar does wrong, as a list of steps that becomes a SIPp scenario in XML. Each Call-ID walks through the
//! steps by itself. Once they are done, a further REGISTER of the Call-ID is taken for the removal of the binding. An OPTIONS
//! is answered at any time in a Call-ID of its own, which tells a test that everything before it has been dealt with.

use std::fmt::Write as _;

/// A named list of steps.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    name: &'static str,
    steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Lose every REGISTER that comes within so many milliseconds of the first one. Only as the first step.
    Lose(u32),
    /// Wait for a REGISTER that is not a retransmission. SIPp repeats its last reply to a retransmission.
    Receive,
    /// As `Receive`, and keep its Via and CSeq for `ChallengeToFirst`.
    ReceiveFirst,
    Send(Reply),
    /// Milliseconds.
    Pause(u32),
    /// Never send anything again.
    Hang,
}

#[derive(Clone, Copy, Debug)]
enum Reply {
    Trying,
    /// 401 with MD5 and qop=auth.
    Challenge,
    /// The same 401 to the Call-ID's first request, when another one has come since.
    ChallengeToFirst,
    /// 200 with the Contact and Expires of the request.
    Bound,
    /// 200 without any Contact.
    Removed,
}

impl Scenario {
    /// The first request is lost; its retransmission is answered 200. The loss lasts 300 ms, less than T1.
    pub(crate) fn first_request_lost() -> Self {
        Self::new("first request lost", &[Step::Lose(300), Step::Receive, Step::Send(Reply::Bound)])
    }

    /// The 401 and the 200 both come twice.
    pub(crate) fn replies_duplicated() -> Self {
        let twice = |reply| [Step::Receive, Step::Send(reply), Step::Send(reply)];
        Self::new("replies duplicated", &[twice(Reply::Challenge), twice(Reply::Bound)].concat())
    }

    /// The 200 comes 700 ms late, after the first retransmission, and nothing before it.
    pub(crate) fn reply_delayed() -> Self {
        Self::new("reply delayed", &[Step::Receive, Step::Pause(700), Step::Send(Reply::Bound)])
    }

    /// 200, then the 100 that should have come before it, then the 200 again.
    pub(crate) fn trying_after_final() -> Self {
        let replies = [Reply::Bound, Reply::Trying, Reply::Bound].map(Step::Send);
        Self::new("trying after final", &[&[Step::Receive], &replies[..]].concat())
    }

    /// The request with credentials is answered by a 401 to the request before it, and then by its own 200.
    pub(crate) fn replies_crossed() -> Self {
        let first = [Step::ReceiveFirst, Step::Send(Reply::Challenge)];
        let second = [Step::Receive, Step::Send(Reply::ChallengeToFirst), Step::Send(Reply::Bound)];
        Self::new("replies crossed", &[&first[..], &second[..]].concat())
    }

    /// 100 at once, the 200 after 1500 ms.
    pub(crate) fn trying_then_late_final() -> Self {
        let steps = [
            Step::Receive,
            Step::Send(Reply::Trying),
            Step::Pause(1500),
            Step::Send(Reply::Bound),
        ];
        Self::new("trying then late final", &steps)
    }

    /// 100 and nothing else, ever.
    pub(crate) fn only_trying() -> Self {
        Self::new("only trying", &[Step::Receive, Step::Send(Reply::Trying), Step::Hang])
    }

    /// No reply, ever.
    pub(crate) fn silence() -> Self {
        Self::new("silence", &[Step::Receive, Step::Hang])
    }

    /// The scenario as SIPp reads it.
    pub(crate) fn xml(&self) -> String {
        let lost_for = match self.steps.first() {
            Some(Step::Lose(milliseconds)) => {
                format!(r#" timeout="{milliseconds}" ontimeout="{HEARING}""#)
            }
            Some(Step::Receive | Step::ReceiveFirst | Step::Send(_) | Step::Pause(_) | Step::Hang) | None => String::new(),
        };
        let mut xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<scenario name=\"{}\">\n\
             <recv request=\"OPTIONS\" optional=\"true\" next=\"{PING}\"{lost_for}/>\n",
            self.name
        );
        let removals = [Step::Receive, Step::Send(Reply::Removed)];
        for step in &self.steps {
            xml += &step.xml();
        }
        xml += &label(REMOVAL);
        removals.iter().for_each(|step| xml += &step.xml());
        let _ = write!(xml, "<nop next=\"{REMOVAL}\"/>\n{}{}</scenario>\n", label(PING), send(PING_REPLY));
        xml
    }

    fn new(name: &'static str, steps: &[Step]) -> Self {
        Self {
            name,
            steps: steps.to_vec(),
        }
    }
}

impl Step {
    fn xml(self) -> String {
        match self {
            // SIPp tries its luck with a loss of 100 % until the time is up, and then goes on at the label.
            Self::Lose(milliseconds) => format!(
                "<recv request=\"REGISTER\" lost=\"100\" timeout=\"{milliseconds}\" ontimeout=\"{HEARING}\"/>\n{}",
                label(HEARING)
            ),
            Self::Receive => "<recv request=\"REGISTER\"/>\n".to_owned(),
            Self::ReceiveFirst => RECEIVE_FIRST.to_owned(),
            Self::Send(reply) => send(&reply.text()),
            Self::Pause(milliseconds) => format!("<pause milliseconds=\"{milliseconds}\"/>\n"),
            Self::Hang => "<recv request=\"ACK\"/>\n".to_owned(),
        }
    }
}

impl Reply {
    fn text(self) -> String {
        match self {
            Self::Trying => response("100 Trying", LAST, ""),
            Self::Challenge => response("401 Unauthorized", LAST, CHALLENGE),
            Self::ChallengeToFirst => response("401 Unauthorized", FIRST, CHALLENGE),
            Self::Bound => response("200 OK", LAST, "[last_Contact:]\n[last_Expires:]\n"),
            Self::Removed => response("200 OK", LAST, ""),
        }
    }
}

/// A response; `echo` is the Via and CSeq of the request that it answers, `headers` end in a line feed.
fn response(status: &str, echo: &str, headers: &str) -> String {
    format!(
        "SIP/2.0 {status}\n{echo}[last_From:]\n[last_To:];tag=sipp[call_number]\n[last_Call-ID:]\n{headers}\
         Content-Length: 0\n\n"
    )
}

fn send(message: &str) -> String {
    format!("<send><![CDATA[\n\n{message}\n]]></send>\n")
}

fn label(number: u32) -> String {
    format!("<label id=\"{number}\"/>\n")
}

/// The header by which the harness knows its own SIPp; the value comes from the command line.
const PING_REPLY: &str = "SIP/2.0 200 Keepalive\n[last_Via:]\n[last_From:]\n[last_To:];tag=sipp[call_number]\n[last_Call-ID:]\n\
     [last_CSeq:]\nInstance: [instance]\nContent-Length: 0\n\n";
const RECEIVE_FIRST: &str = r#"<recv request="REGISTER"><action>
<ereg regexp=".*" search_in="hdr" header="Via:" check_it="true" assign_to="via"/>
<ereg regexp=".*" search_in="hdr" header="CSeq:" check_it="true" assign_to="cseq"/>
</action></recv>
"#;
const LAST: &str = "[last_Via:]\n[last_CSeq:]\n";
const FIRST: &str = "Via:[$via]\nCSeq:[$cseq]\n";
const CHALLENGE: &str = "WWW-Authenticate: Digest realm=\"example.test\", nonce=\"9f3a[call_number]\", qop=\"auth\", algorithm=MD5\n";
// SIPp's labels.
const HEARING: u32 = 1;
const REMOVAL: u32 = 2;
const PING: u32 = 3;
