//! Connectors, over the signed webhook: in, out, and what happens when the other side does not play along. The faults are
//! of our own invention.

use crate::{
    harness::{Answer, Desk, World},
    platform::{Platform, Says, now, send, signed},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sightline_wire::{
    ErrorCode,
    connectors::{ConnectorState, ConnectorTest, ConnectorView, DeadLetter, SecretFound},
    conversation::{Author, Body, Channel, ContextValue, Conversation},
    escalation::InviteView,
    ids::ConversationId,
};
use uuid::Uuid;

async fn world() -> (Platform, World) {
    let platform = Platform::start().await;
    let world = World::with(platform.configure()).await;
    (platform, world)
}

/// A customer who has written over the platform, and the agent who has accepted.
async fn active(platform: &Platform, world: &World) -> (Desk, Conversation) {
    platform.customer_writes(world, "100", "M-1", "Hello").await;
    let desk = world.desk("agent").await;
    let conversation = desk.accept_newest().await;
    (desk, conversation)
}

fn texts(calls: &[Value]) -> Vec<&str> {
    calls.iter().map(|call| call["text"].as_str().unwrap()).collect()
}

async fn views(admin: &Desk) -> ConnectorView {
    let mut views: Vec<ConnectorView> = admin.get("/v1/connectors").await.unwrap();
    views.remove(0)
}

async fn say(desk: &Desk, conversation: ConversationId, text: &str) {
    desk.say(conversation, Uuid::new_v4(), text).await.unwrap();
}

#[tokio::test]
async fn a_customer_writes_over_a_platform_and_the_agents_answer_goes_back_the_same_way() {
    let (platform, world) = world().await;
    let (desk, conversation) = active(&platform, &world).await;
    assert_eq!(conversation.channel, Channel::Webhook);
    assert_eq!(conversation.customer_name, "Ada Moreno");
    say(&desk, conversation.id, "Good morning, Ada.").await;
    let calls = platform.hears("message", 1).await;
    assert_eq!(
        (calls[0]["thread"].as_str(), calls[0]["agent"].as_str()),
        (Some("100"), Some("agent"))
    );
    assert_eq!(texts(&calls), ["Good morning, Ada."]);
    // The customer's device has it: the agent sees so.
    let id = format!("theirs-{}", calls[0]["id"].as_str().unwrap());
    let receipt = json!({ "type": "receipt", "thread": "100", "id": id, "state": "delivered" });
    let delivered = || async { desk.conversation(conversation.id).await.delivered_seq };
    // The receipt may be faster than the note that the call was taken; platforms repeat theirs too.
    let mut rounds = 0;
    while delivered().await < 2 {
        rounds += 1;
        assert!(rounds < 500, "the receipt was not understood");
        assert_eq!(platform.say(&world, &receipt).await, StatusCode::OK);
        let again = json!({ "type": "typing", "thread": "100" });
        platform.say(&world, &again).await;
        if rounds > 1 {
            // Signed within the same second it is the same request, which is carried out once.
            let other = json!({ "type": "receipt", "thread": "100", "id": id, "state": "delivered", "code": rounds.to_string() });
            platform.say(&world, &other).await;
        }
    }
    // After the close the same thread goes on in a new conversation.
    desk.wrap_up_and_close(conversation.id).await;
    platform.customer_writes(&world, "100", "M-2", "One more thing").await;
    let next = desk.accept_newest().await;
    assert_ne!(next.id, conversation.id);
}

#[tokio::test]
async fn nothing_is_believed_but_what_is_signed_now_and_nothing_happens_twice() {
    let (platform, world) = world().await;
    let notice = |id: &str| {
        json!({ "type": "message", "thread": "7", "id": id, "text": "Hello", "from": { "address": "+4915550007" } })
            .to_string()
    };
    let good = notice("M-1");
    let headers = signed(&world, &good, now());
    assert_eq!(send(&world, good.clone(), headers.clone()).await, StatusCode::OK);
    // A copy of it, byte for byte: accepted without effect, as a platform that missed our answer expects.
    assert_eq!(send(&world, good.clone(), headers.clone()).await, StatusCode::OK);
    // One bit of the body, one of the signature.
    assert_eq!(
        send(&world, good.replace("Hello", "Hellp"), headers.clone()).await,
        StatusCode::UNAUTHORIZED
    );
    let mut flipped = headers.clone();
    let last = flipped[0].1.pop().unwrap();
    flipped[0].1.push(if last == '0' { '1' } else { '0' });
    assert_eq!(send(&world, good.clone(), flipped).await, StatusCode::UNAUTHORIZED);
    // No signature, too old, from the future.
    assert_eq!(send(&world, notice("M-2"), Vec::new()).await, StatusCode::UNAUTHORIZED);
    for off in [-301_000, 302_000] {
        let body = notice("M-3");
        let headers = signed(&world, &body, now() + off);
        assert_eq!(send(&world, body, headers).await, StatusCode::UNAUTHORIZED, "{off} ms");
    }
    // Signed and still nonsense.
    let nonsense = "{\"type\":\"message\"}".to_owned();
    let headers = signed(&world, &nonsense, now());
    assert_eq!(send(&world, nonsense, headers).await, StatusCode::BAD_REQUEST);
    let desk = world.desk("agent").await;
    let conversation = desk.accept_newest().await;
    assert_eq!(desk.messages(conversation.id).await.len(), 1);
    let nobody = world
        .api
        .request(Method::POST, "/v1/hooks/nobody")
        .send()
        .await
        .unwrap();
    assert_eq!(nobody.status(), StatusCode::NOT_FOUND);
    drop(platform);
}

#[tokio::test]
async fn faults_of_ours_neither_lose_nor_reorder_a_message() {
    let (platform, world) = world().await;
    let (desk, conversation) = active(&platform, &world).await;
    platform.hears("receipt", 1).await;
    platform.will_say([
        Says::status(503),
        Says(429, vec![("retry-after", "1".into())], json!({})),
        Says::status(500),
    ]);
    for text in ["one", "two", "three"] {
        say(&desk, conversation.id, text).await;
    }
    // Three attempts come to nothing; the rest waits behind the first.
    let calls = platform.hears("message", 6).await;
    assert_eq!(texts(&calls), ["one", "one", "one", "one", "two", "three"]);
    let keys: Vec<_> = calls.iter().map(|call| call["id"].as_str().unwrap()).collect();
    assert!(
        keys[..4].iter().all(|key| *key == keys[0]),
        "the same key at every attempt"
    );
    let admin = world.desk("admin").await;
    let mut view = views(&admin).await;
    while view.waiting > 0 {
        view = views(&admin).await;
    }
    assert_eq!((view.state, view.dead), (ConnectorState::Enabled, 0));
}

#[tokio::test]
async fn what_the_platform_refuses_is_told_to_the_agent_and_can_be_sent_again() {
    let (platform, world) = world().await;
    let (desk, conversation) = active(&platform, &world).await;
    platform.hears("receipt", 1).await;
    platform.will_say([Says(422, Vec::new(), json!({ "code": "blocked" }))]);
    let (mut socket, _) = desk.listen().await;
    say(&desk, conversation.id, "Hello?").await;
    let line = socket
        .agent_event("a line about it", |event| match event {
            sightline_wire::agent::AgentEvent::Message(message) => match message.body {
                Body::Event { text, .. } => Some(text),
                _ => None,
            },
            _ => None,
        })
        .await;
    assert_eq!(
        line,
        "A message did not reach the customer. The platform refuses (blocked)."
    );
    // Its own line says so too, to whoever looks at the conversation, and its owner can send it again.
    let lost = desk.conversation(conversation.id).await.undelivered;
    let said = desk.messages(conversation.id).await;
    let hello = said.iter().find(|message| message.body.text() == "Hello?").unwrap();
    assert_eq!((lost.len(), lost[0].seq), (1, hello.seq));
    assert_eq!(lost[0].why, "The platform refuses (blocked).");
    let nothing: Result<Vec<DeadLetter>, _> = desk.get("/v1/dead-letters").await;
    assert_eq!(nothing.refused().code, ErrorCode::NotAllowed);
    let supervisor = world.desk("supervisor").await;
    let letters: Vec<DeadLetter> = supervisor.get("/v1/dead-letters").await.unwrap();
    assert_eq!(
        (letters.len(), letters[0].text.as_str(), letters[0].attempts),
        (1, "Hello?", 1)
    );
    let path = format!("/v1/dead-letters/{}/resend", letters[0].id);
    assert_eq!(lost[0].letter, Some(letters[0].id));
    let stranger = world.desk("colleague").await;
    let refused: Result<Value, _> = stranger.post(&path, json!({})).await;
    assert_eq!(refused.refused().code, ErrorCode::NotAllowed, "it is not hers");
    let _: Value = desk.post(&path, json!({})).await.unwrap();
    assert_eq!(desk.conversation(conversation.id).await.undelivered, []);
    let calls = platform.hears("message", 2).await;
    assert_eq!(texts(&calls), ["Hello?", "Hello?"]);
    let letters: Vec<DeadLetter> = supervisor.get("/v1/dead-letters").await.unwrap();
    assert_eq!(letters, []);
    let twice: Result<Value, _> = supervisor.post(&path, json!({})).await;
    assert_eq!(twice.refused().code, ErrorCode::NotFound);

    // What is given up for good did not arrive either, and cannot be sent again.
    platform.will_say([Says(422, Vec::new(), json!({ "code": "blocked" }))]);
    say(&desk, conversation.id, "Are you there?").await;
    let gone = socket
        .agent_event("the second one", |event| match event {
            sightline_wire::agent::AgentEvent::Conversation(told) if !told.undelivered.is_empty() => {
                Some(told.undelivered)
            }
            _ => None,
        })
        .await;
    let path = format!("/v1/dead-letters/{}/discard", gone[0].letter.unwrap());
    let _: Value = supervisor.post(&path, json!({})).await.unwrap();
    let lost = desk.conversation(conversation.id).await.undelivered;
    assert_eq!((lost.len(), lost[0].seq, lost[0].letter), (1, gone[0].seq, None));
}

#[tokio::test]
async fn a_connector_is_switched_off_only_when_nobody_uses_it_and_what_waits_is_kept() {
    let (platform, world) = world().await;
    let (desk, conversation) = active(&platform, &world).await;
    let admin = world.desk("admin").await;
    let refused: Result<Vec<ConnectorView>, _> = admin.post("/v1/connectors/shop/disable", json!({})).await;
    let refused = refused.refused();
    assert_eq!(refused.code, ErrorCode::ConnectorInUse);
    assert_eq!(refused.conversations, [conversation.id]);
    let agents: Result<Vec<ConnectorView>, _> = desk.get("/v1/connectors").await;
    assert_eq!(agents.refused().code, ErrorCode::NotAllowed);
    desk.wrap_up_and_close(conversation.id).await;
    let views: Vec<ConnectorView> = admin.post("/v1/connectors/shop/disable", json!({})).await.unwrap();
    assert_eq!(views[0].state, ConnectorState::Disabled);
    let secret = views[0]
        .settings
        .iter()
        .find(|setting| setting.name == "secret")
        .unwrap();
    assert!(
        secret.value.contains("env:CARGO_PKG_NAME"),
        "the place, never the secret: {secret:?}"
    );
    assert_eq!(secret.secret, Some(SecretFound::Set));
    let notice = json!({ "type": "message", "thread": "100", "id": "M-9", "text": "Hello",
                         "from": { "address": "+4915550100" } });
    assert_eq!(platform.say(&world, &notice).await, StatusCode::SERVICE_UNAVAILABLE);
    let views: Vec<ConnectorView> = admin.post("/v1/connectors/shop/enable", json!({})).await.unwrap();
    assert_eq!(views[0].state, ConnectorState::Enabled);
    assert_eq!(
        platform.say(&world, &notice).await,
        StatusCode::OK,
        "the platform tries again"
    );
}

#[tokio::test]
async fn a_test_of_the_connection_calls_the_platform_and_says_what_is_wrong() {
    let (platform, world) = world().await;
    let admin = world.desk("admin").await;
    let test = || async {
        let test: ConnectorTest = admin.post("/v1/connectors/shop/test", json!({})).await.unwrap();
        (test.works, test.sentence)
    };
    assert!(test().await.0);
    assert_eq!(platform.calls_of("ping").len(), 1, "it was really called");
    platform.will_say([Says::status(401)]);
    assert_eq!(test().await, (false, "The platform refuses our sign-in (401).".into()));
    let ConnectorState::Failing { code, .. } = views(&admin).await.state else {
        panic!("it fails");
    };
    assert_eq!(code, "401");
    assert!(test().await.0);
    assert_eq!(views(&admin).await.state, ConnectorState::Enabled);
}

#[tokio::test]
async fn a_bot_hands_over_everything_and_hears_what_became_of_it() {
    let (platform, world) = world().await;
    let said = |address: Option<&str>, text: &str| json!({ "from": { "address": address, "name": if address.is_some() { "Ada Moreno" } else { "Helper" } }, "text": text });
    let handoff = json!({
        "type": "handoff", "thread": "55", "id": "H-1",
        "context": { "va_LastPhrases": "my machine blinks", "va_Language": "en-GB", "surveyConsent": true, "orders": 3 },
        "transcript": [said(None, "Hi, I am the bot."), said(Some("+4915550055"), "my machine blinks"), said(None, "I will find somebody.")],
    });
    assert_eq!(platform.say(&world, &handoff).await, StatusCode::OK);
    let mut again = handoff.clone();
    again["later"] = json!(true);
    assert_eq!(
        platform.say(&world, &again).await,
        StatusCode::OK,
        "the same hand-off in another request"
    );
    let desk = world.desk("agent").await;
    let conversation = desk.accept_newest().await;
    assert_eq!(conversation.customer_name, "Ada Moreno");
    assert_eq!(conversation.context["surveyConsent"], ContextValue::Truth(true));
    assert_eq!(conversation.context["orders"], ContextValue::Number(3.0));
    let history = desk.messages(conversation.id).await;
    let lines: Vec<_> = history
        .iter()
        .map(|message| {
            let author = match &message.author {
                Author::Bot { name } => name.as_str(),
                Author::Customer => "customer",
                Author::Agent { .. } => "agent",
                Author::System => "-",
            };
            (author, message.body.text())
        })
        .collect();
    assert_eq!(
        lines,
        [
            ("Helper", "Hi, I am the bot."),
            ("customer", "my machine blinks"),
            ("Helper", "I will find somebody."),
            ("-", "The bot handed the conversation over"),
        ]
    );
    let told = platform.hears("handoff", 1).await;
    assert_eq!(
        (told[0]["thread"].as_str(), told[0]["state"].as_str()),
        (Some("55"), Some("accepted"))
    );
    desk.wrap_up_and_close(conversation.id).await;
    let told = platform.hears("handoff", 2).await;
    assert_eq!(told[1]["state"], "completed");
    // A customer who leaves before anybody came.
    let mut second = handoff.clone();
    second["id"] = json!("H-2");
    platform.say(&world, &second).await;
    platform.say(&world, &json!({ "type": "ended", "thread": "55" })).await;
    let told = platform.hears("handoff", 3).await;
    assert_eq!(told[2]["state"], "failed");
}

#[tokio::test]
async fn a_bot_on_the_telephone_hands_over_a_call_and_one_that_writes_a_chat() {
    let (platform, world) = world().await;
    let desk = world.desk("agent").await;
    for (thread, number, channel, name) in [
        ("70", json!(""), Channel::Webhook, "Customer 1"),
        ("71", json!(4_915_550_071_u64), Channel::Phone, "4915550071"),
    ] {
        let handoff = json!({
            "type": "handoff", "thread": thread, "id": format!("H-{thread}"),
            "context": { "bot.CustomerPhoneNumber": number, "bot.OrganizationPhoneNumber": "+15550100" },
            "transcript": [{ "from": { "name": "Helper" }, "text": "I will find somebody." }],
        });
        assert_eq!(platform.say(&world, &handoff).await, StatusCode::OK);
        let conversation = desk.accept_newest().await;
        assert_eq!(
            (conversation.channel, conversation.customer_name.as_str()),
            (channel, name)
        );
    }
}

#[tokio::test]
async fn a_bot_asks_for_video_once_for_whoever_takes_the_conversation() {
    let (platform, world) = world().await;
    let (desk, conversation) = active(&platform, &world).await;
    assert_eq!(conversation.video_request, None);
    for n in 0..2 {
        let asks = json!({ "type": "video_request", "thread": "100", "n": n });
        assert_eq!(platform.say(&world, &asks).await, StatusCode::OK);
    }
    let asked = desk.conversation(conversation.id).await;
    assert_eq!(asked.video_request.unwrap().why, "The customer asks to be seen.");
    let lines = desk.messages(conversation.id).await;
    let asking = lines.iter().filter(|line| line.body.text() == "Video call asked for");
    assert_eq!(asking.count(), 1, "asking again says nothing new");
    let started = desk.start_video(conversation.id, Uuid::new_v4()).await.unwrap();
    assert_eq!(desk.conversation(conversation.id).await.video_request, None);
    let path = format!("/v1/escalations/{}/end", started.escalation.id);
    let _: Value = desk.post(&path, json!({})).await.unwrap();
    // What the platform gives back of the call is no wish for another one.
    let kept = json!({ "Target_Channel": "Video", "videoRoom": "disconnected" });
    let context = json!({ "type": "context", "thread": "100", "context": kept });
    platform.say(&world, &context).await;
    desk.wrap_up_and_close(conversation.id).await;
    platform.customer_writes(&world, "100", "M-2", "One more thing").await;
    assert_eq!(desk.accept_newest().await.video_request, None);
    // In a thread that was not there, asking begins a conversation.
    platform
        .say(&world, &json!({ "type": "video_request", "thread": "200" }))
        .await;
    assert!(desk.accept_newest().await.video_request.is_some());
}

#[tokio::test]
async fn the_link_to_a_call_goes_out_over_the_platform_with_what_it_keeps_of_the_call() {
    let (platform, world) = world().await;
    let (desk, conversation) = active(&platform, &world).await;
    let started = desk.start_video(conversation.id, Uuid::new_v4()).await.unwrap();
    let calls = platform.hears("message", 1).await;
    assert_eq!(calls[0]["link"].as_str(), Some(started.escalation.url.as_str()));
    assert!(calls[0]["text"].as_str().unwrap().contains(&started.escalation.url));
    let kept = platform.hears("context", 1).await;
    assert_eq!(kept[0]["context"]["videoRoom"], "created");
    let path = format!("/v1/escalations/{}/end", started.escalation.id);
    let _: Value = desk.post(&path, json!({})).await.unwrap();
    let kept = platform.hears("context", 2).await;
    assert_eq!(kept[1]["context"]["videoRoom"], "disconnected");
    assert_eq!(kept[0]["context"]["videoRoomSid"], kept[1]["context"]["videoRoomSid"]);
}

#[tokio::test]
async fn what_was_accepted_before_a_restart_goes_out_after_it() {
    let (platform, mut world) = world().await;
    let (desk, conversation) = active(&platform, &world).await;
    platform.hears("receipt", 1).await;
    platform.will_say((0..4).map(|_| Says::status(503)));
    for text in ["one", "two"] {
        say(&desk, conversation.id, text).await;
    }
    platform.hears("message", 1).await;
    world.restart().await;
    platform.will_say([]);
    let calls = platform.hears("message", 6).await;
    let ones = texts(&calls).iter().filter(|text| **text == "one").count();
    assert_eq!(texts(&calls)[ones..], ["two"], "one after the other: {calls:?}");
    let view = views(&world.desk("admin").await).await;
    assert_eq!(view.dead, 0);
}

#[tokio::test]
async fn a_customer_who_does_not_want_to_be_asked_is_not_asked_how_the_call_was() {
    let (platform, world) = world().await;
    let desk = world.desk("agent").await;
    for (thread, consent, asked) in [
        ("60", json!(false), false),
        ("61", json!("False"), false),
        ("62", json!(true), true),
    ] {
        let handoff = json!({
            "type": "handoff", "thread": thread, "id": format!("H-{thread}"),
            "context": { "surveyConsent": consent },
            "transcript": [{ "from": { "address": "+4915550055", "name": "Ada Moreno" }, "text": "It blinks" }],
        });
        assert_eq!(platform.say(&world, &handoff).await, StatusCode::OK);
        let conversation = desk.accept_newest().await;
        let started = desk.start_video(conversation.id, Uuid::new_v4()).await.unwrap();
        let code = started.escalation.url.rsplit('/').next().unwrap();
        let look = world.api.request(Method::GET, &format!("/v1/invites/{code}"));
        let view: InviteView = look.send().await.unwrap().json().await.unwrap();
        assert_eq!(view.survey, asked, "{consent}");
        let path = format!("/v1/escalations/{}/end", started.escalation.id);
        let _: Value = desk.post(&path, json!({})).await.unwrap();
        desk.wrap_up_and_close(conversation.id).await;
    }
}
