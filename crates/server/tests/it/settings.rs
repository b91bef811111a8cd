//! Connectors that an admin sets up in the app: checked, kept in the deployment's file, and at work at once.

use crate::{
    harness::{Answer, Desk, World},
    platform::Platform,
};
use reqwest::Method;
use serde_json::{Value, json};
use sightline_server::Deployment;
use sightline_wire::{
    ErrorCode, Problem,
    connectors::{ConnectorKind, ConnectorState, ConnectorTest, ConnectorView, FieldShape},
    conversation::Conversation,
};
use std::fs;
use uuid::Uuid;

const FILE: &str = "# Our deployment.\n[queues.default]\ntitle = \"Everybody\" # all of them\n";

/// A server with a file of its own.
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

fn shop(platform: &Platform) -> Value {
    let url = format!("http://{}/in", platform.address());
    json!({ "kind": "webhook", "settings": { "url": [url], "secret": ["env:CARGO_PKG_NAME"], "calls_per_second": ["1000"] } })
}

#[tokio::test]
async fn a_connector_is_set_up_in_the_app_works_at_once_and_is_still_there_after_a_restart() {
    let platform = Platform::start().await;
    let mut world = world().await;
    let admin = world.desk("admin").await;
    let kinds: Vec<ConnectorKind> = admin.get("/v1/connector-kinds").await.unwrap();
    let webhook = kinds.iter().find(|kind| kind.name == "webhook").unwrap();
    let secret = webhook.fields.iter().find(|field| field.name == "secret").unwrap();
    assert_eq!((secret.shape, secret.needed), (FieldShape::Secrets, true));

    let views = save(&admin, "shop", shop(&platform)).await.unwrap();
    assert_eq!((views.len(), &views[0].state), (1, &ConnectorState::Enabled));
    assert!(
        views[0]
            .settings
            .iter()
            .any(|setting| setting.name == "calls_per_second" && setting.value == "1000")
    );
    let tested: ConnectorTest = admin.post("/v1/connectors/shop/test", json!({})).await.unwrap();
    assert!(tested.works, "{}", tested.sentence);
    platform.customer_writes(&world, "100", "M-1", "Hello").await;
    let desk = world.desk("agent").await;
    let conversation = desk.accept_newest().await;
    desk.say(conversation.id, Uuid::new_v4(), "Good morning").await.unwrap();
    platform.hears("message", 1).await;

    let written = text(&world);
    assert!(written.starts_with(FILE), "{written}");
    world.deployment = Deployment::read(&world.folder.database().with_file_name("sightline.toml")).unwrap();
    world.restart().await;
    let admin = world.desk("admin").await;
    let views: Vec<ConnectorView> = admin.get("/v1/connectors").await.unwrap();
    assert_eq!(views[0].name, "shop");

    // Nobody is cut off, and afterwards the file is as it was.
    let delete = || admin.call::<Vec<ConnectorView>>(Method::DELETE, "/v1/connectors/shop", None);
    let refused = delete().await.refused();
    assert_eq!(refused.code, ErrorCode::ConnectorInUse);
    let desk = world.desk("agent").await;
    let _: Conversation = desk.conversation(conversation.id).await;
    desk.wrap_up_and_close(conversation.id).await;
    assert_eq!(delete().await.unwrap(), []);
    assert_eq!(text(&world), FILE);
}

#[tokio::test]
async fn what_makes_no_connector_is_refused_and_changes_nothing() {
    let platform = Platform::start().await;
    let world = world().await;
    let admin = world.desk("admin").await;
    let with = |field: &str, value: &str| {
        let mut body = shop(&platform);
        body["settings"][field] = json!([value]);
        body
    };
    for (name, body, word) in [
        ("shop", with("url", "ftp://shop.example/in"), "https://"),
        // The secret itself does not belong there, and is not repeated.
        ("shop", with("secret", "letmein"), "secrets do not stand in this file"),
        ("shop", with("secret", "env:SIGHTLINE_NOT_THERE"), "nothing is there"),
        ("shop", with("calls_per_second", "fast"), "number"),
        ("shop", with("invites_by", "nobody"), "invites_by"),
        ("shop", with("colour", "red"), "colour"),
        ("sh%20op", shop(&platform), "letters"),
        ("shop", json!({ "kind": "telegraph", "settings": {} }), "telegraph"),
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
    let views: Vec<ConnectorView> = admin.get("/v1/connectors").await.unwrap();
    assert_eq!(views, []);
    // It keeps its kind.
    save(&admin, "shop", shop(&platform)).await.unwrap();
    let refused = save(&admin, "shop", json!({ "kind": "whatsapp", "settings": {} }))
        .await
        .refused();
    assert!(refused.message.contains("keeps its kind"), "{}", refused.message);
}

#[tokio::test]
async fn a_file_that_somebody_has_spoilt_is_left_alone() {
    let platform = Platform::start().await;
    let world = world().await;
    let admin = world.desk("admin").await;
    let file = world.folder.database().with_file_name("sightline.toml");
    fs::write(&file, "[queues.default]\ncolour = \"red\"\n").unwrap();
    let refused = save(&admin, "shop", shop(&platform)).await.refused();
    assert_eq!(refused.code, ErrorCode::SettingsNotWritten);
    assert!(refused.message.contains("colour"), "{}", refused.message);
    fs::remove_file(&file).unwrap();
    let refused = save(&admin, "shop", shop(&platform)).await.refused();
    assert_eq!(refused.code, ErrorCode::SettingsNotWritten);
    let views: Vec<ConnectorView> = admin.get("/v1/connectors").await.unwrap();
    assert_eq!(views, []);
}

#[tokio::test]
async fn only_an_admin_sets_connectors_up_and_only_where_there_is_a_file() {
    let platform = Platform::start().await;
    let world = world().await;
    for name in ["agent", "supervisor"] {
        let desk = world.desk(name).await;
        assert_eq!(
            save(&desk, "shop", shop(&platform)).await.refused().code,
            ErrorCode::NotAllowed
        );
        let delete = desk
            .call::<Vec<ConnectorView>>(Method::DELETE, "/v1/connectors/shop", None)
            .await;
        assert_eq!(delete.refused().code, ErrorCode::NotAllowed);
        let kinds = desk.get::<Vec<ConnectorKind>>("/v1/connector-kinds").await;
        assert_eq!(kinds.refused().code, ErrorCode::NotAllowed);
    }
    let without = World::start().await;
    let admin = without.desk("admin").await;
    assert_eq!(
        save(&admin, "shop", shop(&platform)).await.refused().code,
        ErrorCode::NoSettingsFile
    );
}
