//! kill -9 of the real program under chat load: nothing acknowledged is lost, doubled or reordered, and what
//! was decided to be sent is sent once.

use crate::harness::{Api, Desk, Folder, Page, browser, password, sightline};
use crate::program::Program;
use serde_json::json;
use sightline_wire::{
    conversation::{Author, Body},
    directline::SightlineData,
    escalation::Redeemed,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Notify, time::timeout};
use uuid::Uuid;

const KILLS: usize = 10;

/// Messages that are acknowledged between two kills.
const BETWEEN: usize = 15;

/// Sends until it is acknowledged; a connection that broke is tried again with the same id.
async fn insist<T, F: Future<Output = Option<T>>>(mut attempt: impl FnMut() -> F, up: &Notify) -> T {
    loop {
        if let Some(done) = attempt().await {
            return done;
        }
        // Wait for the server to be back; the deadline covers a wake-up that came a moment before.
        let _ = timeout(Duration::from_millis(50), up.notified()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_messages_survive_kill_9() {
    let (folder, password) = (Folder::new(), password());
    let mut program = Program::start(&folder.database(), "127.0.0.1:0", &password).await;
    let bind = program.bind();
    let api = Api::new(&program.url);
    let page = Arc::new(api.page().await);
    page.say("first").await;
    let session = api.sign_in("agent", &password).await.unwrap();
    let desk = Arc::new(Desk {
        api: api.clone(),
        session,
    });
    let conversation = desk.accept_newest().await.id;

    let (stop, acknowledged, up) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
        Arc::new(Notify::new()),
    );
    let customer = tokio::spawn({
        let (page, stop, acknowledged, up) = (page.clone(), stop.clone(), acknowledged.clone(), up.clone());
        async move {
            let mut sent = 0;
            while !stop.load(Ordering::Relaxed) {
                let activity = json!({ "type": "message", "text": format!("c{sent}"), "from": { "id": "me" },
                                       "channelData": { "clientActivityID": format!("c{sent}") } });
                insist(|| try_activity(&page, &activity), &up).await;
                sent += 1;
                acknowledged.fetch_add(1, Ordering::Relaxed);
            }
            sent
        }
    });
    let agent = tokio::spawn({
        let (desk, stop, acknowledged, up) = (desk.clone(), stop.clone(), acknowledged.clone(), up.clone());
        async move {
            let mut sent = 0;
            while !stop.load(Ordering::Relaxed) {
                let body = json!({ "client_id": Uuid::new_v4(), "text": format!("a{sent}") });
                insist(|| try_message(&desk, conversation, &body), &up).await;
                sent += 1;
                acknowledged.fetch_add(1, Ordering::Relaxed);
            }
            sent
        }
    });
    for _ in 0..KILLS {
        let goal = acknowledged.load(Ordering::Relaxed) + BETWEEN;
        let reached = async {
            while acknowledged.load(Ordering::Relaxed) < goal {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(30), reached)
            .await
            .expect("messages stopped coming through");
        program.kill().await;
        program = Program::start(&folder.database(), &bind, &password).await;
        up.notify_waiters();
    }
    stop.store(true, Ordering::Relaxed);
    let (from_customer, from_agent) = (customer.await.unwrap(), agent.await.unwrap());

    let mut all = Vec::new();
    loop {
        let after = all.len();
        let path = format!("/v1/conversations/{conversation}/messages?after={after}&limit=500");
        let next: sightline_wire::conversation::MessagePage = desk.get(&path).await.unwrap();
        all.extend(next.messages);
        if !next.more {
            break;
        }
    }
    assert!(all.iter().zip(1..).all(|(message, seq)| message.seq == seq), "a gap");
    let texts = |customer: bool| -> Vec<String> {
        all.iter()
            .skip(1)
            .filter(|m| (m.author == Author::Customer) == customer)
            .map(|m| m.body.text().to_string())
            .collect()
    };
    assert_eq!(
        texts(true),
        (0..from_customer).map(|n| format!("c{n}")).collect::<Vec<_>>()
    );
    assert_eq!(
        texts(false),
        (0..from_agent).map(|n| format!("a{n}")).collect::<Vec<_>>()
    );
    program.kill().await;
}

#[tokio::test]
async fn a_link_goes_out_exactly_once_whenever_the_server_dies() {
    let (folder, password) = (Folder::new(), password());
    let mut program = Program::start(&folder.database(), "127.0.0.1:0", &password).await;
    let bind = program.bind();
    let api = Api::new(&program.url);
    let session = api.sign_in("agent", &password).await.unwrap();
    let desk = Desk {
        api: api.clone(),
        session,
    };
    for _ in 0..5 {
        let page = api.page().await;
        page.say("hello").await;
        let conversation = desk.accept_newest().await.id;
        let command = Uuid::new_v4();
        // The answer arrives after the commit; the link may or may not be out when the server dies.
        let started = desk.start_video(conversation, command).await.unwrap();
        program.kill().await;
        program = Program::start(&folder.database(), &bind, &password).await;
        let again = desk.start_video(conversation, command).await.unwrap();
        assert_eq!(again.escalation.id, started.escalation.id);
        let code = page.invite().await;
        let redeemed: Redeemed = api.redeem(&code, &browser()).await.unwrap();
        assert_eq!(redeemed.room, started.escalation.room);
        let links = desk.messages(conversation).await;
        assert_eq!(
            links.iter().filter(|m| matches!(m.body, Body::Invite { .. })).count(),
            1
        );
        let cards = page.history().await;
        let invites = cards
            .iter()
            .filter_map(sightline)
            .filter(|d| matches!(d, SightlineData::Invite { .. }))
            .count();
        assert_eq!(invites, 1);
        let _: serde_json::Value = desk
            .post(
                &format!("/v1/conversations/{conversation}/wrap-up"),
                json!({ "end_call": true }),
            )
            .await
            .unwrap();
    }
    program.kill().await;
}

async fn try_activity(page: &Page, activity: &serde_json::Value) -> Option<()> {
    let path = format!(
        "/v3/directline/conversations/{}/activities",
        page.started.conversation_id
    );
    let request = page
        .api
        .request(reqwest::Method::POST, &path)
        .bearer_auth(&page.started.token)
        .json(activity);
    accepted(request).await
}

async fn try_message(
    desk: &Desk,
    conversation: sightline_wire::ids::ConversationId,
    body: &serde_json::Value,
) -> Option<()> {
    let path = format!("/v1/conversations/{conversation}/messages");
    let request = desk
        .api
        .request(reqwest::Method::POST, &path)
        .bearer_auth(&desk.session.access_token)
        .json(body);
    accepted(request).await
}

/// `None` when the connection broke; an answer that is not a success is a failure of the test.
async fn accepted(request: reqwest::RequestBuilder) -> Option<()> {
    let answer = request.send().await.ok()?;
    let status = answer.status();
    let text = answer.text().await.ok()?;
    assert!(status.is_success(), "{status}: {text}");
    Some(())
}
