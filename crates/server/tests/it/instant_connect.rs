//! The broker of Webex Instant Connect as an admin has it: set up in the app, tested, switched off and disconnected.

use crate::{
    broker::Broker,
    harness::{Answer, Desk, World},
    platform::Says,
};
use reqwest::Method;
use serde_json::{Value, json};
use sightline_server::Deployment;
use sightline_wire::{
    ErrorCode, Problem,
    agent::AgentEvent,
    connectors::{ConnectorKind, ConnectorState, ConnectorTest, ConnectorView, SecretFound},
    ids::ConversationId,
    meeting::MeetingMade,
};
use std::{
    fs,
    time::{SystemTime, UNIX_EPOCH},
};
use uuid::Uuid;

const NAME: &str = "webex_instant_connect";
const FILE: &str = "# Ours.\n[queues.default]\ntitle = \"Everybody\" # all of them\n";

async fn world() -> World {
    World::with(|config| {
        let file = config.database.with_file_name("sightline.toml");
        fs::write(&file, FILE).unwrap();
        config.deployment = Deployment::read(&file).unwrap();
    })
    .await
}

fn text(world: &World) -> String {
    fs::read_to_string(world.folder.database().with_file_name("sightline.toml")).unwrap()
}

async fn save(desk: &Desk, name: &str, body: Value) -> Result<Vec<ConnectorView>, Problem> {
    desk.call(Method::PUT, &format!("/v1/connectors/{name}"), Some(body))
        .await
}

fn settings(table: &str) -> Value {
    let base = table
        .split("broker_base = \"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    json!({ "kind": "webex-instant-connect", "settings": { "bot_token": ["env:CARGO_PKG_NAME"], "broker_base": [base] } })
}

async fn test(admin: &Desk) -> ConnectorTest {
    let path = format!("/v1/connectors/{NAME}/test");
    admin.post(&path, json!({})).await.unwrap()
}

async fn turn(admin: &Desk, how: &str) -> ConnectorView {
    let path = format!("/v1/connectors/{NAME}/{how}");
    let mut views: Vec<ConnectorView> = admin.post(&path, json!({})).await.unwrap();
    views.pop().unwrap()
}

async fn open(desk: &Desk, conversation: ConversationId) -> Result<MeetingMade, Problem> {
    let path = format!("/v1/conversations/{conversation}/meeting");
    desk.post(&path, json!({ "client_id": Uuid::new_v4() })).await
}

#[tokio::test]
async fn rooms_are_set_up_in_the_app_and_the_button_comes_and_goes_at_once() {
    let (broker, table) = Broker::start().await;
    let mut world = world().await;
    let admin = world.desk("admin").await;
    let (desk, _page, conversation) = world.active().await;
    let (mut socket, _) = desk.listen().await;
    assert!(!conversation.meetings);
    let kinds: Vec<ConnectorKind> = admin.get("/v1/connector-kinds").await.unwrap();
    let kind = kinds.last().unwrap();
    assert_eq!(
        (kind.name.as_str(), kind.only.as_deref()),
        ("webex-instant-connect", Some(NAME))
    );
    let fields: Vec<_> = kind.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(fields, ["bot_token", "org_id", "sms_country", "broker_base"]);
    assert!(kinds[..kinds.len() - 1].iter().all(|kind| kind.only.is_none()));

    let views = save(&admin, NAME, settings(&table)).await.unwrap();
    let view = &views[0];
    assert_eq!(
        (view.name.as_str(), view.kind.as_str(), &view.state),
        (NAME, "webex-instant-connect", &ConnectorState::Enabled)
    );
    let token = view
        .settings
        .iter()
        .find(|setting| setting.name == "bot_token")
        .unwrap();
    assert_eq!(
        (token.value.as_str(), token.secret),
        ("env:CARGO_PKG_NAME", Some(SecretFound::Set))
    );
    assert!(
        text(&world).starts_with(FILE) && text(&world).contains("[webex_instant_connect]\nbot_token"),
        "{}",
        text(&world)
    );
    let shown = |wanted: bool| {
        move |event| match event {
            AgentEvent::Conversation(seen) if seen.meetings == wanted => Some(()),
            _ => None,
        }
    };
    socket.agent_event("the button", shown(true)).await;
    open(&desk, conversation.id).await.unwrap();
    assert_eq!(broker.asked("/joseencrypt").len(), 1);

    assert_eq!(turn(&admin, "disable").await.state, ConnectorState::Disabled);
    socket.agent_event("no button", shown(false)).await;
    assert_eq!(open(&desk, conversation.id).await.refused().code, ErrorCode::NoMeetings);
    assert_eq!(broker.asked("/joseencrypt").len(), 1);
    // It stays off through other settings and a restart.
    save(&admin, NAME, settings(&table)).await.unwrap();
    world.deployment = Deployment::read(&world.folder.database().with_file_name("sightline.toml")).unwrap();
    world.restart().await;
    let (admin, desk) = (world.desk("admin").await, world.desk("agent").await);
    assert!(!desk.conversation(conversation.id).await.meetings);
    assert_eq!(turn(&admin, "enable").await.state, ConnectorState::Enabled);
    assert!(desk.conversation(conversation.id).await.meetings);

    let (mut socket, _) = desk.listen().await;
    let delete = || admin.call::<Vec<ConnectorView>>(Method::DELETE, "/v1/connectors/webex_instant_connect", None);
    assert_eq!(delete().await.unwrap(), []);
    socket.agent_event("no button", shown(false)).await;
    assert_eq!(text(&world), FILE);
    assert_eq!(delete().await.refused().code, ErrorCode::NotFound);
    let tested = admin
        .post::<ConnectorTest>("/v1/connectors/webex_instant_connect/test", json!({}))
        .await;
    assert_eq!(tested.refused().code, ErrorCode::NotFound);
}

#[tokio::test]
async fn a_test_asks_the_broker_for_a_room_of_which_nothing_stays() {
    let (broker, table) = Broker::start().await;
    let world = world().await;
    let admin = world.desk("admin").await;
    save(&admin, NAME, settings(&table)).await.unwrap();
    let tested = test(&admin).await;
    assert!(
        tested.works && tested.sentence.contains("expires in a minute"),
        "{}",
        tested.sentence
    );
    let asked = broker.asked("/joseencrypt");
    let seconds = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let expires = asked[0]["jwt"]["exp"].as_i64().unwrap();
    assert!((seconds..=seconds + 60).contains(&expires), "{expires} at {seconds}");
    assert!(asked[0]["jwt"]["sub"].as_str().unwrap().starts_with("test-"));
    assert_eq!((broker.kept(), broker.asked("/meetingInvite").len()), (0, 0));

    // Each fault is a state with its reason, until something works again.
    let garbled =
        json!({ "host": [{ "cipher": "" }], "guest": [{ "cipher": "x" }], "baseUrl": "https://instant.example/" });
    for (says, code, word) in [
        (Says::status(401), "401", "refuses our sign-in"),
        (Says::status(503), "503", "has a fault"),
        (Says(200, Vec::new(), garbled), "answer_incomplete", "lacks something"),
    ] {
        broker.says([says]);
        let tested = test(&admin).await;
        assert!(!tested.works && tested.sentence.contains(word), "{}", tested.sentence);
        let views: Vec<ConnectorView> = admin.get("/v1/connectors").await.unwrap();
        assert!(
            matches!(&views[0].state, ConnectorState::Failing { code: found, sentence, .. } if found == code && *sentence == tested.sentence),
            "{:?}",
            views[0].state
        );
    }
    assert!(test(&admin).await.works);
    let views: Vec<ConnectorView> = admin.get("/v1/connectors").await.unwrap();
    assert_eq!(views[0].state, ConnectorState::Enabled);
    assert!(views[0].sent_at.is_some());
    save(&admin, NAME, json!({ "kind": "webex-instant-connect", "settings": { "bot_token": ["env:CARGO_PKG_NAME"], "broker_base": ["http://127.0.0.1:1"] } }))
        .await
        .unwrap();
    assert_eq!(test(&admin).await.sentence, "The platform cannot be reached.");
    // A room that could not be made says as much as a test.
    let (desk, _page, conversation) = world.active().await;
    save(&admin, NAME, settings(&table)).await.unwrap();
    broker.says([Says::status(403)]);
    assert_eq!(
        open(&desk, conversation.id).await.refused().code,
        ErrorCode::MeetingFailed
    );
    let views: Vec<ConnectorView> = admin.get("/v1/connectors").await.unwrap();
    assert!(matches!(&views[0].state, ConnectorState::Failing { code, .. } if code == "403"));
}

#[tokio::test]
async fn what_is_no_broker_is_refused_and_changes_nothing() {
    let (_broker, table) = Broker::start().await;
    let world = world().await;
    let admin = world.desk("admin").await;
    let with = |field: &str, value: &str| {
        let mut body = settings(&table);
        body["settings"][field] = json!([value]);
        body
    };
    let webhook =
        json!({ "kind": "webhook", "settings": { "url": ["http://127.0.0.1:9/"], "secret": ["env:CARGO_PKG_NAME"] } });
    for (name, body, word) in [
        ("shop", settings(&table), "under the name webex_instant_connect"),
        (NAME, webhook, "which no connector has"),
        (NAME, with("bot_token", "letmein"), "secrets do not stand in this file"),
        (NAME, with("bot_token", "env:SIGHTLINE_NOT_THERE"), "nothing is there"),
        (NAME, with("broker_base", "http://broker.example"), "https://"),
        (NAME, with("calls_per_second", "5"), "calls_per_second"),
    ] {
        let refused = save(&admin, name, body).await.refused();
        assert_eq!(refused.code, ErrorCode::SettingsRefused, "{word}");
        assert!(
            refused.message.contains(word) && !refused.message.contains("letmein"),
            "{word}: {}",
            refused.message
        );
    }
    assert_eq!(text(&world), FILE);
    for path in ["test", "enable", "disable"] {
        let refused = admin
            .post::<Value>(&format!("/v1/connectors/{NAME}/{path}"), json!({}))
            .await
            .refused();
        assert_eq!(refused.code, ErrorCode::NotFound);
    }
    // The name is taken, in the file too.
    let deployment = Deployment::parse("[connectors.webex_instant_connect]\nkind = \"webhook\"\n").unwrap();
    let error = World::refuses(|config| config.deployment = deployment).await;
    assert!(error.contains("choose another name"), "{error}");
}
