//! What every platform is to the product: requests that are verified and read, and calls that are built and judged.

use crate::{bot::cards::Offer, directline::DirectLine};
use sightline_wire::{
    UnixMillis,
    conversation::{Channel, Context},
};
use std::time::Duration;

/// A conversation as the platform names it, within one connector. Opaque to everybody else.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Thread(pub String);

/// A request of a platform, byte for byte. Signatures are about the bytes and about the address that the platform
/// called, which behind a proxy is not the one that arrived here.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// In capitals.
    pub method: &'a str,
    /// The public address with its query, as the platform called it.
    pub url: &'a str,
    /// Names in any case; the first of several counts.
    pub headers: &'a [(String, String)],
    /// As it came.
    pub body: &'a [u8],
    /// When it came.
    pub at: UnixMillis,
}

impl<'a> Request<'a> {
    /// A header by its name, in any case.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let found = self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// Why a request is not believed. None of it is told to the sender: 401, 400 for what cannot be read, or 503.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reject {
    /// No signature, or none of the kind that was agreed on.
    #[error("the request is not signed")]
    Unsigned,
    /// Another key, or another content.
    #[error("the signature is not right")]
    WrongSignature,
    /// Signed too long ago, or in the future: perhaps somebody else's copy.
    #[error("the request is not from now")]
    Stale,
    /// The platform's keys have not been had yet, so nobody can tell: 503, and the platform sends it again.
    #[error("the platform's keys are not known yet")]
    NoKeys,
    /// Signed, and still not what the platform's documents describe.
    #[error("the request cannot be read: {0}")]
    Malformed(&'static str),
}

/// A request that comes from the platform. Only a connector's `verify` makes one, so that nothing is read unverified.
#[derive(Debug, Clone, Copy)]
pub struct Verified<'a>(Request<'a>);

impl<'a> Verified<'a> {
    /// For a connector that has just verified it.
    pub(crate) fn new(request: Request<'a>) -> Self {
        Self(request)
    }

    /// What was verified.
    pub fn request(&self) -> Request<'a> {
        self.0
    }
}

/// Who said something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Speaker {
    /// The customer: the address that answers reach them at, and a name where the platform tells one.
    Customer {
        /// A phone number, an account, an id.
        address: String,
        /// As shown to the agent.
        name: Option<String>,
    },
    /// A bot, or an agent elsewhere.
    Other {
        /// As shown in a transcript.
        name: Option<String>,
    },
}

/// One line of a transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Who.
    pub speaker: Speaker,
    /// What.
    pub text: String,
    /// When, where it is told.
    pub at: Option<UnixMillis>,
}

/// What a message holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Words.
    Text(String),
    /// A file that the platform keeps.
    File {
        /// Where it can be fetched, with the connector's own sign-in.
        url: String,
        /// Media type, where it is told.
        kind: Option<String>,
        /// Its name, or the words beside it.
        caption: Option<String>,
    },
    /// What a bot offers, with its words.
    Offer(Offer),
}

/// How far a message of ours has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The platform has it.
    Sent,
    /// The customer's device has it.
    Delivered,
    /// The customer has seen it.
    Read,
    /// It will not arrive.
    Failed {
        /// The platform's own code.
        code: String,
    },
    /// It will not arrive, because the customer has not written for too long; a template still would.
    WindowClosed,
}

/// What became of a hand-off from a bot, as the bot is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandoffState {
    /// Somebody has it; the bot is silent from here on.
    Accepted,
    /// Nobody takes it; why.
    Failed(String),
    /// It is over; the bot may speak again.
    Completed,
}

/// One thing that a request says.
#[derive(Debug, Clone, PartialEq)]
pub enum Inbound {
    /// Somebody wrote.
    Message {
        /// Where.
        thread: Thread,
        /// The platform's own id: the same one twice is the same message.
        id: String,
        /// Who.
        from: Speaker,
        /// What.
        content: Content,
        /// When, where it is told.
        at: Option<UnixMillis>,
        /// What else is known of the conversation.
        context: Context,
    },
    /// The customer is writing.
    Typing {
        /// Where.
        thread: Thread,
    },
    /// A message of ours has come so far.
    Receipt {
        /// Where, when the platform says.
        thread: Option<Thread>,
        /// The platform's id of that message.
        id: String,
        /// How far.
        delivery: Delivery,
    },
    /// A bot gives a conversation over.
    Handoff {
        /// Where.
        thread: Thread,
        /// The platform's own id of this hand-off.
        id: String,
        /// Everything that the bot knows.
        context: Context,
        /// Everything that was said.
        transcript: Vec<Line>,
    },
    /// What is known of the conversation has changed.
    Context {
        /// Where.
        thread: Thread,
        /// The variables that are new or other than before.
        context: Context,
    },
    /// The customer, or a bot that speaks for them, asks for video.
    VideoAsked {
        /// Where.
        thread: Thread,
    },
    /// The customer or the platform has ended it.
    Ended {
        /// Where.
        thread: Thread,
    },
    /// Somebody wrote, but the platform tells only the message's id: [`Connector::message`] asks for the rest and
    /// [`Connector::read_message`] reads it. Nothing secret is in it, so it can be kept until that has succeeded.
    Fetch {
        /// Where.
        thread: Thread,
        /// The platform's own id of the message.
        id: String,
    },
    /// A telephone call has been answered, in the phone system and not here. Its sound stays there; it can be joined by
    /// a picture. Its channel is [`Channel::Phone`], whatever [`Connector::channel`] says of other threads.
    Call {
        /// The call as a conversation.
        thread: Thread,
        /// The phone system's own id of the call.
        id: String,
        /// The customer's number; empty where it is withheld.
        from: String,
        /// The e-mail address of the agent who has answered, where the phone system says.
        agent: Option<String>,
        /// What is known of the call.
        context: Context,
    },
    /// That call is over.
    CallEnded {
        /// The call as a conversation.
        thread: Thread,
    },
}

/// What the platform is answered at once; anything else is 200 without words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// 200.
    Accepted,
    /// 200 with these words: a platform that asks whether we are who it thinks.
    Challenge {
        /// Of the answer's body.
        media_type: &'static str,
        /// As the platform wants it.
        body: String,
    },
    /// 200 with these headers and no words: a platform that asks whether it may call us.
    Headers(Vec<(&'static str, String)>),
}

/// A verified request, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// In the order in which they were said. What is of no interest here is left out.
    pub events: Vec<Inbound>,
    /// Once all of them are stored.
    pub answer: Answer,
}

/// What goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbound {
    /// Where.
    pub thread: Thread,
    /// Sent again it has the same key; platforms that know such keys send it once.
    pub key: String,
    /// The agent's name, where the platform shows one.
    pub agent: String,
    /// The words. Those of an invite contain its link.
    pub text: String,
    /// The link of an invite, for platforms with a place of their own for it.
    pub link: Option<String>,
    /// When it was written; the same at every attempt.
    pub at: UnixMillis,
}

/// What a platform answered when it was asked for what it keeps of a conversation.
#[derive(Debug, Clone, Copy)]
pub struct Kept<'a> {
    /// As in [`Request::headers`].
    pub headers: &'a [(String, String)],
    /// As it came.
    pub body: &'a [u8],
}

/// One request to a platform. Secrets are in its headers; it is never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpCall {
    /// In capitals.
    pub method: &'static str,
    /// Whole.
    pub url: String,
    /// Names in small letters.
    pub headers: Vec<(&'static str, String)>,
    /// Empty for none.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for HttpCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpCall")
            .field("method", &self.method)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Something that a connector needs before it can speak or believe. See [`Connector::due`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// For the log: `token`, `keys`, …
    pub what: &'static str,
    /// The request that brings it. It is made as it is, without [`Connector::stamp`].
    pub call: HttpCall,
}

/// What an answer to one of our calls means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is theirs now, under this id where they give one.
    Taken {
        /// Receipts name it.
        id: Option<String>,
    },
    /// Later, after this long at least where they say so.
    Again {
        /// `Retry-After`, read in the platform's own unit.
        after: Option<Duration>,
    },
    /// The platform lets nobody write freely any more, until the customer writes.
    WindowClosed,
    /// Never.
    Refused {
        /// The platform's own code, for the log and the list of dead letters.
        code: String,
    },
}

/// What a platform can do beside text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ability {
    /// Shows that the agent is writing.
    Typing,
    /// Says how far a message has come.
    Receipts,
    /// Keeps context variables.
    Context,
    /// Hands over from a bot, and wants to hear what became of it.
    Handoff,
    /// Messages outside the platform's window by template.
    Template,
}

/// One platform with its settings and secrets.
pub trait Connector: Send + Sync {
    /// The platform's name in settings and addresses: `twilio`, `whatsapp`, …
    fn name(&self) -> &'static str;

    /// The channel that a thread belongs to, as the agent sees it.
    fn channel(&self, thread: &Thread) -> Channel;

    /// The thread in which whoever has this telephone number is written to, where the platform lets us write first.
    /// `number` is `+` and digits.
    fn by_number(&self, _number: &str) -> Option<Thread> {
        None
    }

    /// The longest message the platform takes, in characters; longer ones are sent in parts by the caller.
    fn longest(&self) -> usize {
        4_000
    }

    /// What it can do.
    fn abilities(&self) -> &'static [Ability];

    /// What has to be fetched before the connector can speak or believe: a token, the platform's keys. `None`: nothing now.
    /// Ask again after each [`Self::fetched`].
    ///
    /// Ask before a call is made, and after a request was refused: one that was signed with a key of today is believed
    /// once that key is there. Whoever is told of a fetch makes it; nobody else is told of it for some seconds, so that
    /// a fetch which fails, or whose answer never comes, is repeated at a pace that the platform bears.
    fn due(&self, _now: UnixMillis) -> Option<Fetch> {
        None
    }

    /// The answer to it. What was there before stays in use until then, and when the answer is an error.
    ///
    /// # Errors
    /// [`Reject::Malformed`], when it is not what the platform's documents describe, or refused.
    fn fetched(&self, _fetch: &Fetch, _status: u16, _body: &[u8], _now: UnixMillis) -> Result<(), Reject> {
        Ok(())
    }

    /// Whether the platform has sent this.
    ///
    /// # Errors
    /// It has not, or not now.
    fn verify<'a>(&self, request: Request<'a>) -> Result<Verified<'a>, Reject>;

    /// What it says.
    ///
    /// # Errors
    /// [`Reject::Malformed`], when it is not what the platform's documents describe.
    fn read(&self, request: Verified<'_>) -> Result<Received, Reject>;

    /// The request that fetches the message of an [`Inbound::Fetch`]; `None` where no such thing is told.
    fn message(&self, _thread: &Thread, _id: &str) -> Option<HttpCall> {
        None
    }

    /// What its answer says, when [`Self::judge`] says that it was taken. Empty for what is of no interest here.
    ///
    /// # Errors
    /// [`Reject::Malformed`], when it is not what the platform's documents describe.
    fn read_message(&self, _body: &[u8]) -> Result<Vec<Inbound>, Reject> {
        Ok(Vec::new())
    }

    /// The request that carries a message.
    fn send(&self, message: &Outbound) -> HttpCall;

    /// The request that carries an invite where the window is closed; `None` where the platform has no such thing.
    fn send_template(&self, _invite: &Outbound) -> Option<HttpCall> {
        None
    }

    /// The request that shows whether the agent is writing.
    fn typing(&self, _thread: &Thread) -> Option<HttpCall> {
        None
    }

    /// Where the platform keeps what belongs to a conversation: with the thread itself, and wherever else its variables
    /// say.
    fn keepers(&self, thread: &Thread, _known: &Context) -> Vec<Thread> {
        vec![thread.clone()]
    }

    /// The request that adds variables to what the platform keeps, and overwrites none of the others. `None` also where
    /// that takes two requests: [`Self::read_context`] and [`Self::write_context`].
    fn set_context(&self, _thread: &Thread, _context: &Context) -> Option<HttpCall> {
        None
    }

    /// The request that fetches what the platform keeps, where a change replaces everything at once or where its place is
    /// found only there. `known` are the conversation's variables, with those that [`Self::learn`] told.
    fn read_context(&self, _thread: &Thread, _known: &Context) -> Option<HttpCall> {
        None
    }

    /// The request that writes `context` and everything else that was there; `None` when it is all there already. Between
    /// the two requests somebody else may write: platforms that can refuse such a change are told to, and the answer
    /// is then judged as [`Outcome::Again`] – beginning with the reading.
    ///
    /// # Errors
    /// [`Reject::Malformed`], when what is kept cannot be read: better not written than overwritten.
    fn write_context(&self, _thread: &Thread, _kept: Kept<'_>, _context: &Context) -> Result<Option<HttpCall>, Reject> {
        Ok(None)
    }

    /// What the answer to a message that was taken tells of its conversation, to be kept with its variables.
    fn learn(&self, _body: &[u8]) -> Context {
        Context::new()
    }

    /// The request that tells the platform how far one of its messages, by [`Inbound::Message`]'s id, has come.
    fn receipt(&self, _thread: &Thread, _id: &str, _delivery: &Delivery, _at: UnixMillis) -> Option<HttpCall> {
        None
    }

    /// A call as it leaves now. It is built once and sent more than once; what signs the time signs each attempt, and a
    /// token is that of now.
    fn stamp(&self, call: HttpCall, _now: UnixMillis) -> HttpCall {
        call
    }

    /// The request that tells the bot what became of its hand-off.
    fn handoff(&self, _thread: &Thread, _state: &HandoffState) -> Option<HttpCall> {
        None
    }

    /// The connector as a service that is asked and followed, because it calls nobody.
    fn direct_line(&self) -> Option<&DirectLine> {
        None
    }

    /// A call that changes nothing and shows whether address and sign-in are right.
    fn probe(&self) -> HttpCall;

    /// What the answer to one of these calls means. `headers` as in [`Request::headers`].
    fn judge(&self, status: u16, headers: &[(String, String)], body: &[u8]) -> Outcome;
}
