//! What anybody can make a connector read, each kind of input as one function: it must read it or refuse it, never panic.
//! The fuzzers of `fuzz/` call these, and so do the tests that replay its corpus.

use crate::{
    Connector, Content, Delivery, HandoffState, Inbound, Kept, Outbound, Outcome, Reject, Request, Secret, Thread,
    Verified,
    settings::{self, kinds},
};
use serde_json::{Map, Value, json};
use sightline_wire::conversation::{Context, ContextValue};
use std::sync::Arc;

/// One kind of input: its folder of `fuzz/corpus`, and what reads it; `false` for what was refused or says nothing.
pub type Target = (&'static str, fn(&[u8]) -> bool);

/// Every kind of input that connectors read.
pub const TARGETS: &[Target] = &[
    ("hook_twilio_messaging", |data| hook("twilio-messaging", data)),
    ("hook_twilio_conversations", |data| hook("twilio-conversations", data)),
    ("hook_whatsapp", |data| hook("whatsapp", data)),
    ("hook_genesys", |data| hook("genesys", data)),
    ("hook_acs", |data| hook("acs", data)),
    ("hook_bot", |data| hook("bot", data)),
    ("hook_webex_messaging", |data| hook("webex-messaging", data)),
    ("hook_webex_connect", |data| hook("webex-connect", data)),
    ("hook_webhook", |data| hook("webhook", data)),
    ("hook_direct_line", |data| hook("direct-line", data)),
    ("forged", forged),
    ("answer", answer),
    ("settings", settings),
];

/// The connector of a kind, with settings of nobody.
fn connector(kind: &str) -> Arc<dyn Connector> {
    let described = kinds().iter().find(|known| known.name == kind).expect("a kind");
    let mut table = Map::from_iter([("kind".to_owned(), json!(kind))]);
    for field in described.fields.iter().filter(|field| field.needed) {
        let value = match field.shape {
            settings::Shape::Secret | settings::Shape::Secrets => json!("env:SECRET"),
            settings::Shape::Address => json!("https://platform.example"),
            settings::Shape::Text => json!("setting"),
            settings::Shape::Texts => json!(["setting"]),
        };
        table.insert(field.name.to_owned(), value);
    }
    if kind == "twilio-messaging" {
        table.insert("from".to_owned(), json!("+15550100"));
    }
    // Base64 as well, for the kind whose key is.
    let secret = |_: &settings::Place| Some(Secret::new("c2VjcmV0"));
    settings::connector("fuzz", &table, "https://desk.example/v1/hooks/fuzz", &secret).expect("it is complete")
}

/// A request's body that is believed: what it says is read, and everything that may follow from it is built.
fn hook(kind: &str, body: &[u8]) -> bool {
    let connector = connector(kind);
    let mut read = false;
    for url in [
        "https://desk.example/v1/hooks/fuzz",
        "https://desk.example/v1/hooks/fuzz?bodySHA256=",
    ] {
        let request = Request {
            method: "POST",
            url,
            headers: &[],
            body,
            at: 0,
        };
        match connector.read(Verified::new(request)) {
            Ok(received) => {
                read |= !received.events.is_empty();
                received.events.iter().for_each(|event| follow(&*connector, event));
            }
            Err(Reject::Malformed(_)) => {}
            Err(other) => panic!("{other} for {}", String::from_utf8_lossy(body)),
        }
    }
    read
}

/// The calls that a conversation of this event leads to.
fn follow(connector: &dyn Connector, event: &Inbound) {
    let thread = match event {
        Inbound::Receipt { thread, .. } => thread.clone().unwrap_or(Thread(String::new())),
        Inbound::Message { thread, .. }
        | Inbound::Typing { thread }
        | Inbound::VideoAsked { thread }
        | Inbound::Handoff { thread, .. }
        | Inbound::Context { thread, .. }
        | Inbound::Ended { thread }
        | Inbound::Fetch { thread, .. }
        | Inbound::Call { thread, .. }
        | Inbound::CallEnded { thread } => thread.clone(),
    };
    let (id, context) = match event {
        Inbound::Message {
            id, content, context, ..
        } => {
            let words = match content {
                Content::Text(words) | Content::File { url: words, .. } => words.clone(),
                Content::Offer(offer) => offer.text(),
            };
            assert!(words.len() <= 4 << 20, "more words than were sent");
            (id.clone(), context.clone())
        }
        Inbound::Handoff { id, context, .. } | Inbound::Call { id, context, .. } => (id.clone(), context.clone()),
        Inbound::Receipt { id, .. } | Inbound::Fetch { id, .. } => (id.clone(), Context::new()),
        Inbound::Context { context, .. } => (String::new(), context.clone()),
        Inbound::Typing { .. } | Inbound::VideoAsked { .. } | Inbound::Ended { .. } | Inbound::CallEnded { .. } => {
            (String::new(), Context::new())
        }
    };
    let said = Outbound {
        thread: thread.clone(),
        key: "key".to_owned(),
        agent: "Grace".to_owned(),
        text: "Hello".to_owned(),
        link: Some("https://desk.example/j/code".to_owned()),
        at: 0,
    };
    connector.channel(&thread);
    let keepers = connector.keepers(&thread, &context);
    let more = keepers.iter().flat_map(|keeper| {
        [
            connector.set_context(keeper, &context),
            connector.read_context(keeper, &context),
        ]
    });
    let calls = [
        Some(connector.send(&said)),
        connector.send_template(&said),
        connector.typing(&thread),
        connector.receipt(&thread, &id, &Delivery::Read, 0),
        connector.handoff(&thread, &HandoffState::Completed),
        connector.message(&thread, &id),
    ];
    for call in calls.into_iter().chain(more).flatten() {
        let url = connector.stamp(call, 0).url;
        // A bot's answers go where the signed activity says; all others go where the settings say, whatever an id holds.
        let bot = connector.name() == "bot";
        assert!(bot || stays(&url), "an id leads to {url}");
    }
}

/// Whether an address is on the host it should be on, with nothing climbing out of its path.
fn stays(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let hosts = [
        "https://platform.example",
        "https://api.twilio.com/",
        "https://conversations.twilio.com/",
        "https://taskrouter.twilio.com/",
        "https://graph.facebook.com/",
        "https://api.setting/",
        "https://webexapis.com/",
        "https://directline.botframework.com/",
    ];
    hosts.iter().any(|host| path.starts_with(host)) && !path.split('/').any(|part| matches!(part, "." | ".."))
}

/// Words that are not signed are never believed: the first line is the query, the second one every header that a platform
/// signs with, the rest the body.
fn forged(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let mut parts = text.splitn(3, '\n');
    let mut part = || parts.next().unwrap_or_default().to_owned();
    let (query, header, body) = (part(), part(), part());
    // Whoever knows the secret may say so.
    if form_urlencoded::parse(query.as_bytes()).any(|(_, value)| value.contains("c2VjcmV0")) {
        return false;
    }
    let names = [
        "x-twilio-signature",
        "x-hub-signature",
        "x-hub-signature-256",
        "x-spark-signature",
        "x-sightline-signature",
        "x-sightline-timestamp",
        "authorization",
    ];
    let headers = names.map(|name| (name.to_owned(), header.clone()));
    let url = format!("https://desk.example/v1/hooks/fuzz?{query}");
    for kind in kinds() {
        for method in ["POST", "GET", "OPTIONS"] {
            let request = Request {
                method,
                url: &url,
                headers: &headers,
                body: body.as_bytes(),
                at: 0,
            };
            let believed = connector(kind.name).verify(request);
            assert!(believed.is_err(), "{} believes {text}", kind.name);
        }
    }
    true
}

/// What a platform answers to a call: the first line is the status and `Retry-After`, the rest the body.
fn answer(data: &[u8]) -> bool {
    let at = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (line, body) = (
        String::from_utf8_lossy(&data[..at]),
        data.get(at + 1..).unwrap_or_default(),
    );
    let (status, after) = line.split_once(' ').unwrap_or((&line, ""));
    let status = status.parse().unwrap_or(200);
    let headers = [
        ("Retry-After".to_owned(), after.to_owned()),
        ("retry-after-ms".to_owned(), after.to_owned()),
        ("ETag".to_owned(), after.to_owned()),
    ];
    let thread = Thread("CH1".to_owned());
    let news = Context::from([("video".to_owned(), ContextValue::Truth(true))]);
    let mut read = false;
    for kind in kinds() {
        let connector = connector(kind.name);
        let outcome = connector.judge(status, &headers, body);
        if (400..500).contains(&status) {
            assert!(
                !matches!(outcome, Outcome::Taken { .. }),
                "{} takes {status} for yes",
                kind.name
            );
        }
        connector.learn(body);
        if let Ok(events) = connector.read_message(body) {
            read |= !events.is_empty();
            events.iter().for_each(|event| follow(&*connector, event));
        }
        let kept = Kept {
            headers: &headers,
            body,
        };
        if let Ok(Some(call)) = connector.write_context(&thread, kept, &news) {
            read = true;
            assert!(stays(&call.url), "{} writes to {}", kind.name, call.url);
        }
        // A token may end as soon as it is granted.
        for _ in 0..4 {
            if let Some(fetch) = connector.due(0) {
                read |= connector.fetched(&fetch, status, body, 0).is_ok();
            }
        }
    }
    read
}

/// A table of the deployment's file, as JSON: settings are understood or refused in a sentence that tells no secret.
fn settings(data: &[u8]) -> bool {
    let Ok(Value::Object(table)) = serde_json::from_slice(data) else {
        return false;
    };
    let hook = "https://desk.example/v1/hooks/fuzz";
    let secret = |_: &settings::Place| Some(Secret::new("c2VjcmV0"));
    let built = settings::connector("fuzz", &table, hook, &secret);
    if let Err(error) = &built {
        let sentence = error.to_string();
        assert!(!sentence.is_empty() && !sentence.contains("c2VjcmV0"), "{sentence}");
    }
    let _ = settings::instant_connect("fuzz", &table, &secret);
    settings::redacted(&table);
    settings::places(&table);
    built.is_ok()
}

/// Calls `look` with this many changed copies: what the network can make of a body. Always the same for the same seed.
pub fn mutations(original: &[u8], count: usize, mut look: impl FnMut(&[u8])) {
    let mut random = Chance(0x5167_4711);
    // What parsers stumble over more often than over chance.
    let pieces: [&[u8]; 12] = [
        b"\"", b"{", b"[", b"null", b"\\u0000", b"\\ud800", b"-1e999", b"\xff", b"\0", b",", b".", b" ",
    ];
    for _ in 0..count {
        let mut changed = original.to_vec();
        for _ in 0..=random.below(4) {
            let at = random.below(changed.len() + 1);
            let upto = at + random.below((changed.len() - at).min(16) + 1);
            match random.below(5) {
                0 if at < changed.len() => changed[at] ^= 1 << random.below(8),
                1 => changed.truncate(at),
                2 => drop(changed.drain(at..upto)),
                3 => {
                    let part = changed[at..upto].to_vec();
                    changed.splice(at..at, part);
                }
                _ => {
                    let piece = pieces[random.below(pieces.len())];
                    changed.splice(at..at, piece.iter().copied());
                }
            }
        }
        look(&changed);
    }
}

/// SplitMix64.
struct Chance(u64);

impl Chance {
    /// A number from 0 up to, and without, `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap_or_default()
    }
}

/// A connector reads changed bodies or says that they are malformed, and nothing else.
#[cfg(test)]
pub(crate) fn reads_or_refuses(connector: &dyn Connector, method: &str, original: &[u8]) {
    mutations(original, 3_000, |body| {
        let request = Request {
            method,
            url: "https://desk.example/in",
            headers: &[],
            body,
            at: 0,
        };
        match connector.read(Verified::new(request)) {
            Ok(_) | Err(Reject::Malformed(_)) => {}
            Err(other) => panic!("{other} for {}", String::from_utf8_lossy(body)),
        }
    });
}
