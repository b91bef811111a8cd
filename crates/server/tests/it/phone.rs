//! A telephone call with video beside it: the phone system says who has answered, the link goes by SMS, the sound stays on
//! the phone. And rooms elsewhere, from a broker that fails when it is told to.

use crate::{
    broker::Broker,
    harness::{Answer, Desk, World},
    platform::{Platform, Says, now, secret},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sightline_connect::generic::SIGNATURE;
use sightline_server::Deployment;
use sightline_wire::{
    ErrorCode,
    conversation::{Author, Body, Channel, Conversation, ConversationState, Sound},
    escalation::InviteView,
    meeting::MeetingMade,
};
use uuid::Uuid;

/// A phone system, and another platform that sends SMS for it.
struct Phones {
    phones: Platform,
    texts: Platform,
    world: World,
}

impl Phones {
    async fn start(more: &str) -> Self {
        let (phones, texts) = (Platform::start().await, Platform::start().await);
        let connector = |name: &str, platform: &Platform, more: &str| {
            format!(
                "[connectors.{name}]\nkind = \"webhook\"\nurl = \"http://{}/in\"\nsecret = \"env:CARGO_PKG_NAME\"\n{more}\n",
                platform.address()
            )
        };
        let file = [
            connector("phones", &phones, "invites_by = \"texts\""),
            connector("texts", &texts, ""),
            more.to_owned(),
        ];
        let deployment = Deployment::parse(&file.concat()).unwrap();
        let world = World::with(move |config| config.deployment = deployment).await;
        Self { phones, texts, world }
    }

    async fn say(&self, connector: &str, notice: Value) {
        let (path, body) = (format!("/v1/hooks/{connector}"), notice.to_string());
        let url = format!("{}{path}", self.world.api.url);
        let mut request = self.world.api.request(Method::POST, &path);
        for (name, value) in SIGNATURE.sign(&secret(), &url, body.as_bytes(), now()) {
            request = request.header(name, value);
        }
        assert_eq!(request.body(body).send().await.unwrap().status(), StatusCode::OK);
    }

    /// Somebody has called, and this agent has answered.
    async fn call(&self, from: &str, agent: &str, context: Value) {
        let notice = json!({ "type": "call", "thread": "C-1", "id": "call-1", "from": from, "agent": agent, "context": context });
        self.say("phones", notice).await;
    }

    /// An agent has answered, and has the conversation.
    async fn answered(&self, from: &str, context: Value) -> (Desk, Conversation) {
        let desk = self.world.desk("agent").await;
        self.call(from, &desk.session.account.email, context).await;
        let conversation = self.popped(&desk).await;
        (desk, conversation)
    }

    /// The one conversation in this agent's inbox.
    async fn popped(&self, desk: &Desk) -> Conversation {
        let (_socket, mut inbox) = desk.listen().await;
        assert_eq!(inbox.len(), 1);
        inbox.remove(0)
    }
}

fn lines(messages: &[sightline_wire::conversation::Message]) -> Vec<String> {
    messages.iter().map(|message| message.body.text().to_owned()).collect()
}

#[tokio::test]
async fn who_has_answered_the_phone_has_the_conversation_and_the_link_goes_by_sms() {
    let phones = Phones::start("").await;
    let (desk, conversation) = phones
        .answered("+1 (555) 010-0999", json!({ "CustomerName": "Ada Moreno" }))
        .await;
    // The phone system repeats itself.
    phones
        .call(
            "+1 (555) 010-0999",
            &desk.session.account.email,
            json!({ "CustomerName": "Ada Moreno" }),
        )
        .await;
    assert_eq!(
        (conversation.channel, conversation.state),
        (Channel::Phone, ConversationState::Active)
    );
    assert_eq!(conversation.owner, Some(desk.session.account.id));
    assert_eq!(conversation.customer_name, "Ada Moreno");

    let started = desk.start_video(conversation.id, Uuid::new_v4()).await.unwrap();
    let texts = phones.texts.hears("message", 1).await;
    assert_eq!(texts[0]["thread"], "+15550100999");
    assert_eq!(texts[0]["link"], started.escalation.url.as_str());
    // What becomes of the call is told to the phone system, which brought it, and to nobody else.
    let told = phones.phones.hears("context", 1).await;
    assert_eq!(
        (&told[0]["thread"], &told[0]["context"]["videoRoom"]),
        (&json!("C-1"), &json!("created"))
    );
    assert_eq!(phones.texts.calls_of("context").len(), 0);
    assert_eq!(phones.phones.calls_of("message").len(), 0);
    let code = started.escalation.url.rsplit('/').next().unwrap();
    let look = phones.world.api.request(Method::GET, &format!("/v1/invites/{code}"));
    let view: InviteView = look.send().await.unwrap().json().await.unwrap();
    assert_eq!(view.sound, Sound::Phone);

    // What she answers by SMS is said in the same conversation.
    let from = json!({ "address": "+15550100999" });
    phones
        .say(
            "texts",
            json!({ "type": "message", "thread": "+15550100999", "id": "S-1", "text": "On my way", "from": from }),
        )
        .await;
    phones
        .say("phones", json!({ "type": "call_ended", "thread": "C-1" }))
        .await;
    let said = desk.messages(conversation.id).await;
    let said: Vec<_> = said
        .iter()
        .map(|message| (&message.author, message.body.text()))
        .collect();
    assert_eq!(said[0], (&Author::System, "The customer is on the phone"));
    assert!(said.contains(&(&Author::Customer, "On my way")), "{said:?}");
    assert_eq!(said.last().unwrap(), &(&Author::System, "The phone call is over"));
    assert_eq!(phones.popped(&desk).await.id, conversation.id);
}

#[tokio::test]
async fn a_landline_gets_no_sms_until_the_agent_has_asked_for_another_number() {
    let phones = Phones::start("").await;
    let (desk, conversation) = phones
        .answered("+493055501000", json!({ "LineType": "landline" }))
        .await;
    let refused = desk.start_video(conversation.id, Uuid::new_v4()).await.refused();
    assert_eq!(refused.code, ErrorCode::CallerTakesNoSms);
    assert!(refused.message.contains("landline"), "{}", refused.message);
    let refused = desk.say(conversation.id, Uuid::new_v4(), "Hello").await.refused();
    assert_eq!(
        refused.code,
        ErrorCode::CallerTakesNoSms,
        "words go nowhere either, and are not taken"
    );
    assert_eq!(desk.conversation(conversation.id).await.escalation, None);
    let edit = json!({ "context": { "phoneNumber": "+4915550100999", "LineType": null } });
    let _: Conversation = desk
        .patch(&format!("/v1/conversations/{}", conversation.id), edit)
        .await
        .unwrap();
    desk.start_video(conversation.id, Uuid::new_v4()).await.unwrap();
    let texts = phones.texts.hears("message", 1).await;
    assert_eq!((texts.len(), texts[0]["thread"].as_str()), (1, Some("+4915550100999")));
}

#[tokio::test]
async fn a_caller_who_withholds_the_number_is_not_invited() {
    let phones = Phones::start("").await;
    let (desk, conversation) = phones.answered("anonymous", json!({})).await;
    let refused = desk.start_video(conversation.id, Uuid::new_v4()).await.refused();
    assert_eq!(refused.code, ErrorCode::CallerTakesNoSms);
}

#[tokio::test]
async fn a_room_elsewhere_gives_the_agent_the_hosts_link_and_the_caller_the_guests() {
    let (broker, table) = Broker::start().await;
    let phones = Phones::start(&table).await;
    let (desk, conversation) = phones.answered("+15550100999", json!({})).await;
    assert!(conversation.meetings);
    let path = format!("/v1/conversations/{}/meeting", conversation.id);
    let made: MeetingMade = desk.post(&path, json!({ "client_id": Uuid::new_v4() })).await.unwrap();
    assert_eq!(
        (made.host_url.as_str(), made.not_invited),
        ("https://instant.example/visit/hostKey", None)
    );
    assert_eq!(
        broker.asked("/joseencrypt")[0]["jwt"]["sub"],
        conversation.id.to_string()
    );
    let invite = &broker.asked("/meetingInvite")[0];
    assert_eq!(
        (&invite["meetingId"], &invite["mobileNumbersWithCountryCode"]),
        (&json!(conversation.id), &json!(["+15550100999"]))
    );
    assert!(
        lines(&desk.messages(conversation.id).await).contains(&"The link to the Webex room went out by SMS".into())
    );
}

#[tokio::test]
async fn a_broker_that_fails_is_a_failed_step_that_everybody_reads() {
    let (broker, table) = Broker::start().await;
    let phones = Phones::start(&table).await;
    let (desk, conversation) = phones.answered("+15550100999", json!({})).await;
    let path = format!("/v1/conversations/{}/meeting", conversation.id);
    // Twice away: once more is tried, and no more.
    broker.says([Says::status(503), Says::status(503)]);
    let refused = desk
        .post::<MeetingMade>(&path, json!({ "client_id": Uuid::new_v4() }))
        .await
        .refused();
    assert_eq!(refused.code, ErrorCode::MeetingFailed);
    assert_eq!(broker.asked("/joseencrypt").len(), 2);
    // What a flow puts in place of a key makes no address.
    let none = json!({ "host": [{ "short": "None" }], "guest": [{ "short": "None" }], "baseUrl": "https://instant.example/visit/" });
    broker.says([Says(200, Vec::new(), none)]);
    let refused = desk
        .post::<MeetingMade>(&path, json!({ "client_id": Uuid::new_v4() }))
        .await
        .refused();
    assert_eq!(refused.code, ErrorCode::MeetingFailed);
    let read = lines(&desk.messages(conversation.id).await);
    assert!(
        read.iter()
            .any(|line| line.contains("could not be made: the broker answers 503")),
        "{read:?}"
    );
    // A link, and no SMS.
    let good =
        json!({ "host": [{ "short": "h" }], "guest": [{ "short": "g" }], "baseUrl": "https://instant.example/visit/" });
    broker.says([
        Says(200, Vec::new(), good),
        Says(200, Vec::new(), json!({ "status": "Failed" })),
    ]);
    let made: MeetingMade = desk.post(&path, json!({ "client_id": Uuid::new_v4() })).await.unwrap();
    assert_eq!(made.not_invited.unwrap().code, ErrorCode::InviteNotSent);
    // And again, by hand.
    let made: MeetingMade = desk.post(&path, json!({ "client_id": Uuid::new_v4() })).await.unwrap();
    assert_eq!(made.not_invited, None);
}

#[tokio::test]
async fn in_a_chat_the_guests_link_is_a_message_and_a_repeated_click_writes_it_once() {
    let (_broker, table) = Broker::start().await;
    let phones = Phones::start(&table).await;
    let (desk, _page, conversation) = phones.world.active().await;
    let path = format!("/v1/conversations/{}/meeting", conversation.id);
    let click = Uuid::new_v4();
    for _ in 0..2 {
        let _: MeetingMade = desk.post(&path, json!({ "client_id": click })).await.unwrap();
    }
    let written = desk.messages(conversation.id).await;
    let links: Vec<_> = written
        .iter()
        .filter(|message| message.body.text().contains("/visit/guestKey"))
        .collect();
    assert!(
        matches!(links.as_slice(), [one] if matches!(one.body, Body::Text { .. })),
        "{links:?}"
    );
    let colleague = phones.world.desk("colleague").await;
    let refused = colleague
        .post::<MeetingMade>(&path, json!({ "client_id": Uuid::new_v4() }))
        .await
        .refused();
    assert_eq!(refused.code, ErrorCode::NotYourConversation);
    let without = World::start().await;
    let (desk, _page, conversation) = without.active().await;
    let path = format!("/v1/conversations/{}/meeting", conversation.id);
    let refused = desk
        .post::<MeetingMade>(&path, json!({ "client_id": click }))
        .await
        .refused();
    assert_eq!(refused.code, ErrorCode::NoMeetings);
}

#[tokio::test]
async fn a_phone_system_whose_sms_goes_nowhere_does_not_start() {
    let file =
        "[connectors.phones]\nkind = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\nsecret = \"env:CARGO_PKG_NAME\"\n";
    for (by, wrong) in [("\"nobody\"", "nobody"), ("7", "quotation marks")] {
        let deployment = Deployment::parse(&format!("{file}invites_by = {by}\n")).unwrap();
        let error = World::refuses(|config| config.deployment = deployment).await;
        assert!(error.contains("invites_by") && error.contains(wrong), "{error}");
    }
}
