//! The platforms behind the fault proxy: they let in who has signed in, keep what they are told, and know a message again
//! where the real ones do.

use super::{
    faults::{Call, Reply, Upstream},
    kinds::{Kind, Secrets, Service},
};
use crate::platform::now;
use serde_json::{Value, json};
use sightline_connect::{Request, Secret, generic};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::Notify;

/// Something that the platform was told.
#[derive(Debug, Clone)]
pub struct Told {
    pub what: String,
    /// The key of a message.
    pub key: Option<String>,
    /// How often the server had been killed by then.
    pub life: usize,
    /// Whether the answer has gone out whole.
    pub answered: bool,
}

/// What a call is about.
#[derive(Debug, Clone, PartialEq, Eq)]
enum About {
    /// Something of a conversation: its name there, what it is, and the message's key.
    Thread(String, String, Option<String>),
    /// A message is asked for.
    Fetch(String),
    /// A token, or keys.
    SignIn(String),
}

pub struct Platform {
    kind: Kind,
    secrets: Arc<Secrets>,
    service: Arc<Service>,
    /// How often the server has been killed.
    life: Arc<AtomicUsize>,
    url: Mutex<String>,
    told: Mutex<BTreeMap<String, Vec<Told>>>,
    /// Of messages that are known again by their key.
    ids: Mutex<HashMap<String, String>>,
    next: AtomicUsize,
    strange: Mutex<Vec<String>>,
    came: Arc<Notify>,
}

impl Platform {
    pub fn new(
        kind: Kind,
        secrets: Arc<Secrets>,
        service: Arc<Service>,
        life: Arc<AtomicUsize>,
        came: Arc<Notify>,
    ) -> Self {
        Self {
            kind,
            secrets,
            service,
            life,
            url: Mutex::default(),
            told: Mutex::default(),
            ids: Mutex::default(),
            next: AtomicUsize::new(0),
            strange: Mutex::default(),
            came,
        }
    }

    /// Where it is reached.
    pub fn is_at(&self, url: &str) {
        url.clone_into(&mut self.url.lock().unwrap());
    }

    /// Everything it was told of one conversation.
    pub fn told(&self, thread: &str) -> Vec<Told> {
        self.told.lock().unwrap().get(thread).cloned().unwrap_or_default()
    }

    /// The conversations it was told of.
    pub fn threads(&self) -> usize {
        self.told.lock().unwrap().len()
    }

    /// Calls that no document of the platform describes.
    pub fn strange(&self) -> Vec<String> {
        self.strange.lock().unwrap().clone()
    }

    fn about(&self, call: &Call) -> Option<About> {
        let path = call.path.split('?').next().unwrap_or_default();
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        let json = || serde_json::from_slice::<Value>(&call.body).ok();
        let text = |value: &Value, pointer: &str| value.pointer(pointer)?.as_str().map(str::to_owned);
        let thread = |thread: &str, what: String, key| Some(About::Thread(thread.to_owned(), what, key));
        match (self.kind, parts.as_slice()) {
            (Kind::TwilioConversations, ["v1", "Conversations", sid, "Messages"]) => {
                thread(sid, form(&call.body, "Body")?, None)
            }
            (Kind::TwilioMessaging, ["2010-04-01", "Accounts", "AC0", "Messages.json"]) => {
                thread(&form(&call.body, "To")?, form(&call.body, "Body")?, None)
            }
            (Kind::WhatsApp, [_, "number-1", "messages"]) => {
                let body = json()?;
                thread(&text(&body, "/to")?, text(&body, "/text/body")?, None)
            }
            (Kind::Genesys, ["oauth", "token"]) => Some(About::SignIn(path.to_owned())),
            (
                Kind::Genesys,
                [
                    "api",
                    "v2",
                    "conversations",
                    "messages",
                    "integration",
                    "inbound",
                    "open",
                    "message",
                ],
            ) => {
                let body = json()?;
                let key = text(&body, "/channel/messageId");
                thread(&text(&body, "/channel/from/id")?, text(&body, "/text")?, key)
            }
            (
                Kind::Genesys,
                [
                    "api",
                    "v2",
                    "conversations",
                    "messages",
                    "integration",
                    "inbound",
                    "open",
                    "receipt",
                ],
            ) => {
                let body = json()?;
                let what = format!("{} {}", text(&body, "/id")?, text(&body, "/status")?.to_lowercase());
                thread(&text(&body, "/channel/to/id")?, what, None)
            }
            (Kind::Acs, ["identities", _, ":issueAccessToken"]) => Some(About::SignIn(path.to_owned())),
            (Kind::Acs, ["chat", "threads", id, "messages"]) => thread(id, text(&json()?, "/content")?, None),
            (Kind::Bot, ["metadata" | "keys"] | [_, "oauth2", "v2.0", "token"]) => Some(About::SignIn(path.to_owned())),
            (Kind::Bot, ["v3", "conversations", id, "activities"]) => {
                let body = json()?;
                let what = text(&body, "/text").or_else(|| Some(format!("handoff {}", text(&body, "/value/state")?)));
                thread(id, what?, None)
            }
            (Kind::WebexMessaging, ["v1", "messages", id]) => Some(About::Fetch((*id).to_owned())),
            (Kind::WebexMessaging, ["v1", "messages"]) => {
                let body = json()?;
                thread(&text(&body, "/roomId")?, text(&body, "/text")?, None)
            }
            (Kind::WebexConnect, ["flow"]) => {
                let body = json()?;
                thread(&text(&body, "/LiveChatID")?, text(&body, "/text")?, text(&body, "/id"))
            }
            (Kind::Webhook, ["in"]) => {
                let body = json()?;
                let (what, key) = match text(&body, "/type")?.as_str() {
                    "message" => (text(&body, "/text")?, text(&body, "/id")),
                    "receipt" => (format!("{} {}", text(&body, "/id")?, text(&body, "/state")?), None),
                    _ => return None,
                };
                thread(&text(&body, "/thread")?, what, key)
            }
            _ => None,
        }
    }

    /// Whether the caller has signed in as the platform demands.
    fn lets_in(&self, call: &Call) -> bool {
        let header = |name: &str| {
            call.headers
                .iter()
                .find(|(found, _)| found == name)
                .map(|(_, value)| value)
        };
        let authorization = header("authorization").map(String::as_str).unwrap_or_default();
        let secret = &self.secrets.secret;
        match self.kind {
            Kind::TwilioConversations | Kind::TwilioMessaging => authorization.starts_with("Basic "),
            Kind::WhatsApp | Kind::WebexMessaging => authorization == format!("Bearer {secret}"),
            Kind::Genesys | Kind::Acs | Kind::Bot => authorization == "Bearer granted",
            Kind::WebexConnect => header("key") == Some(secret),
            Kind::Webhook | Kind::Phone => {
                let request = Request {
                    method: "POST",
                    url: "",
                    headers: &call.headers,
                    body: &call.body,
                    at: now(),
                };
                generic::SIGNATURE.verify(&[Secret::new(secret)], &request).is_ok()
            }
            Kind::WebChat => false,
        }
    }

    /// An id of the platform's own; for a message that it knows the one it has given.
    fn id(&self, key: Option<&String>) -> String {
        let new = || format!("theirs-{}", self.next.fetch_add(1, Ordering::Relaxed));
        match key {
            Some(key) => self.ids.lock().unwrap().entry(key.clone()).or_insert_with(new).clone(),
            None => new(),
        }
    }

    fn sign_in(&self, path: &str) -> Value {
        match (self.kind, path) {
            (Kind::Bot, "/metadata") => json!({ "jwks_uri": format!("{}/keys", self.url.lock().unwrap()) }),
            (Kind::Bot, "/keys") => self.service.keys(),
            (Kind::Acs, _) => json!({ "token": "granted", "expiresOn": "2099-01-01T00:00:00Z" }),
            _ => json!({ "access_token": "granted", "expires_in": 86_400 }),
        }
    }
}

fn form(body: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(body)
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.into_owned())
}

impl Upstream for Platform {
    fn mark(&self, call: &Call) -> String {
        match self.about(call) {
            Some(About::Thread(thread, what, _)) => format!("{thread} {what}"),
            Some(About::Fetch(id)) => format!("fetch {id}"),
            Some(About::SignIn(path)) => path,
            None => format!("{} {}", call.method, call.path),
        }
    }

    fn take(&self, call: &Call) -> Reply {
        let Some(about) = self.about(call) else {
            let strange = format!("{:?}: {}", self.kind, self.mark(call));
            self.strange.lock().unwrap().push(strange);
            return Reply(404, "{}".into());
        };
        if let About::SignIn(path) = &about {
            return Reply(200, self.sign_in(path).to_string());
        }
        if !self.lets_in(call) {
            return Reply(401, "{}".into());
        }
        match about {
            About::Fetch(id) => {
                // Its text can be told from its id.
                let mut parts = id.split('-').skip(1).map(|part| part.parse::<usize>().unwrap());
                let (number, n) = (parts.next().unwrap(), parts.next().unwrap());
                let message = json!({
                    "id": id, "roomId": self.kind.thread(number), "personId": "p",
                    "personEmail": self.kind.customer(number), "text": super::kinds::Talk::new(number, self.kind).customer[n],
                });
                Reply(200, message.to_string())
            }
            About::Thread(thread, what, key) => {
                let id = self.id(key.as_ref());
                let life = self.life.load(Ordering::SeqCst);
                let told = Told {
                    what,
                    key,
                    life,
                    answered: false,
                };
                self.told.lock().unwrap().entry(thread).or_default().push(told);
                self.came.notify_waiters();
                let body = match self.kind {
                    Kind::WhatsApp => json!({ "messages": [{ "id": id }] }),
                    Kind::TwilioConversations | Kind::TwilioMessaging => json!({ "sid": id }),
                    Kind::Genesys => json!({ "id": id, "conversationId": "theirs" }),
                    _ => json!({ "id": id }),
                };
                Reply(201, body.to_string())
            }
            About::SignIn(_) => unreachable!("answered above"),
        }
    }

    fn answered(&self, mark: &str) {
        let mut told = self.told.lock().unwrap();
        let Some((thread, what)) = mark.split_once(' ') else {
            return;
        };
        let last = told
            .get_mut(thread)
            .and_then(|told| told.iter_mut().rev().find(|told| told.what == what));
        if let Some(last) = last {
            last.answered = true;
        }
    }
}
