//! The log: enough to follow a call by its ids, nothing that belongs to a person.

use crate::{
    harness::{Api, Desk, Folder, browser, password},
    program::Program,
};
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn the_log_holds_ids_and_no_secrets_or_personal_data() {
    let (folder, password) = (Folder::new(), password());
    let log = folder.0.join("server.log");
    let program = Program::logging(&folder.database(), &log, &password).await;
    let api = Api::new(&program.url);
    assert!(api.sign_in("nobody.at.all", &password).await.is_err());
    let session = api.sign_in("agent", &password).await.unwrap();
    let (mut secrets, account) = (vec![session.access_token.clone()], session.account.id);
    secrets.push(session.refresh_token.clone());
    let desk = Desk {
        api: api.clone(),
        session,
    };
    let mut page = api.page().await;
    page.started = api
        .post("/v1/webchat/tokens", json!({ "name": "Ottoline Quist" }))
        .await
        .unwrap();
    page.say("My maiden name is Quillfeather").await;
    let id = desk.accept_newest().await.id;
    desk.say(id, Uuid::new_v4(), "Let me look that up").await.unwrap();
    let started = desk.start_video(id, Uuid::new_v4()).await.unwrap();
    let code = page.invite().await;
    let mine = browser();
    let redeemed = api.redeem(&code, &mine).await.unwrap();
    let mut room = api.room(&redeemed.room_token, None).await;
    let _: Value = room.next().await.unwrap();
    room.send_text("{ broken, with a secret word: xylophone").await;
    let _: Value = desk
        .post(&format!("/v1/conversations/{id}/wrap-up"), json!({ "end_call": true }))
        .await
        .unwrap();
    assert_eq!(room.closed().await, 1000);
    program.kill().await;

    let text = std::fs::read_to_string(&log).unwrap();
    let (id, call, account) = (id.to_string(), started.escalation.id.to_string(), account.to_string());
    for id in [&id, &call, &account] {
        assert!(text.contains(id.as_str()), "the log cannot be followed without {id}");
    }
    secrets.extend([
        password,
        started.room_token,
        redeemed.room_token,
        code,
        mine,
        page.started.token,
    ]);
    secrets.extend(
        [
            "example.test",
            "Ottoline",
            "Quillfeather",
            "look that up",
            "xylophone",
            "nobody.at.all",
        ]
        .map(String::from),
    );
    for secret in secrets {
        assert!(!text.contains(&secret), "the log holds {secret}");
    }
}
