//! Supervisors see who is ready, ask for tests, and take the board away as a table.

use crate::{
    harness::{Answer, World},
    ready_desk::{Seat, full, new_desk, quick, ready, send, strict, watching},
};
use reqwest::Method;
use serde_json::{Value, json};
use sightline_server::{NewAccount, Secret};
use sightline_wire::{
    ErrorCode,
    account::Role,
    agent::{AgentEvent, AgentRequest},
    device::DeviceKind,
    readiness::{CheckKind, Finding, Narrowing, Readiness, Report},
};
use uuid::Uuid;

#[tokio::test]
async fn agents_see_themselves_and_supervisors_see_all() {
    let world = strict().await;
    let (desk, _page, _conversation, _seat, _) = ready(&world).await;
    let path = format!("/v1/readiness/agents/{}/reports", desk.session.account.id);
    assert_eq!(desk.get::<Vec<Report>>(&path).await.unwrap().len(), 1);
    let supervisor = world.desk("supervisor").await;
    assert_eq!(supervisor.get::<Vec<Report>>(&path).await.unwrap().len(), 1);
    let nobody = format!("/v1/readiness/agents/{}", Uuid::new_v4());
    let unknown = supervisor.get::<Value>(&format!("{nobody}/reports")).await.refused();
    assert_eq!(unknown.code, ErrorCode::NotFound);
    let unknown = supervisor.post::<Value>(&format!("{nobody}/test"), json!({})).await;
    assert_eq!(unknown.refused().code, ErrorCode::NotFound);

    let colleague = world.desk("colleague").await;
    for path in [path.as_str(), "/v1/readiness/board", "/v1/readiness/board.csv"] {
        let refused = colleague.get::<Value>(path).await.refused();
        assert_eq!(refused.code, ErrorCode::NotAllowed, "{path}");
    }
    let test = format!("/v1/readiness/agents/{}/test", desk.session.account.id);
    let refused = colleague.post::<Value>(&test, json!({})).await.refused();
    assert_eq!(refused.code, ErrorCode::NotAllowed);
    let (mut seat, _) = Seat::take(&colleague, new_desk()).await;
    seat.say(AgentRequest::WatchBoard { open: true });
    assert_eq!(seat.problem().await, ErrorCode::NotAllowed);
}

#[tokio::test]
async fn a_closed_board_is_not_told() {
    let world = strict().await;
    let (desk, _page, _conversation, mut seat, _) = ready(&world).await;
    let (_supervisor, mut board, _) = watching(&world).await;
    let why = |finding| Narrowing::Failed {
        check: CheckKind::Camera,
        finding: Some(finding),
    };
    board.say(AgentRequest::WatchBoard { open: false });
    // Frames of one socket are heard in order: when the second is answered, the first has been.
    board.say(AgentRequest::Narrow {
        why: Narrowing::Expired,
    });
    assert_eq!(board.problem().await, ErrorCode::BadRequest);
    seat.say(AgentRequest::Narrow {
        why: why(Finding::CameraBusy),
    });
    seat.lease().await;
    board.say(AgentRequest::WatchBoard { open: true });
    let row = board.row("agent").await;
    assert_eq!(row.lease.unwrap().narrowed_by, [why(Finding::CameraBusy)]);
    // It came with the opening: had the change been told as well, it would stand here again.
    send(&desk, &quick()).await.unwrap();
    assert_eq!(board.row("agent").await.lease.unwrap().readiness, Readiness::Video);
}

#[tokio::test]
async fn a_test_can_be_asked_for() {
    let world = strict().await;
    let (desk, _page, _conversation, mut seat, _) = ready(&world).await;
    let (supervisor, mut board, _) = watching(&world).await;
    let colleague = world.desk("colleague").await.session.account.id;
    let absent = supervisor
        .post::<()>(&format!("/v1/readiness/agents/{colleague}/test"), json!({}))
        .await;
    assert_eq!(absent.refused().code, ErrorCode::DeskNotConnected);

    let path = format!("/v1/readiness/agents/{}/test", desk.session.account.id);
    let (): () = supervisor.post(&path, json!({})).await.unwrap();
    seat.expect("the wish", |event| {
        matches!(event, AgentEvent::TestWanted).then_some(())
    })
    .await;
    assert!(board.row("agent").await.testing);
    // Asked again, the desk hears it again; the board knows already.
    let (): () = supervisor.post(&path, json!({})).await.unwrap();
    seat.expect("the wish again", |event| {
        matches!(event, AgentEvent::TestWanted).then_some(())
    })
    .await;
    send(&desk, &full()).await.unwrap();
    let row = board.row("agent").await;
    assert!(!row.testing && row.tested_at.is_some());
}

#[tokio::test]
async fn the_board_is_a_table_that_spreadsheets_read_and_do_not_run() {
    let world = World::with(|config| {
        config.readiness.required = true;
        config.first_accounts.push(NewAccount {
            email: "formula@example.test".into(),
            name: "=HYPERLINK(\"http://x\"), Ana".into(),
            role: Role::Agent,
            password: Some(Secret::new(Uuid::new_v4().to_string())),
        });
    })
    .await;
    let (desk, _page, _conversation, mut seat, _) = ready(&world).await;
    let gone = Narrowing::Unplugged {
        kind: DeviceKind::Camera,
        name: "C920".into(),
    };
    seat.say(AgentRequest::Narrow { why: gone });
    seat.lease().await;
    let supervisor = world.desk("supervisor").await;
    let answer = desk
        .api
        .request(Method::GET, "/v1/readiness/board.csv")
        .bearer_auth(&supervisor.session.access_token)
        .send()
        .await
        .unwrap();
    let kind = answer.headers()["content-type"].to_str().unwrap().to_string();
    assert!(kind.starts_with("text/csv; charset=utf-8"), "{kind}");
    assert!(
        answer.headers()["content-disposition"]
            .to_str()
            .unwrap()
            .contains("readiness.csv")
    );
    // As bytes: reading it as text takes the mark at its beginning away.
    let bytes = answer.bytes().await.unwrap();
    let text = std::str::from_utf8(&bytes).unwrap();
    let lines: Vec<&str> = text.trim_end().split("\r\n").collect();
    assert!(lines[0].starts_with("\u{feff}\"Agent\",\"Readiness\","));
    assert_eq!(lines.len(), 4, "{text}");
    assert!(lines[1].starts_with("\"'=HYPERLINK(\"\"http://x\"\"), Ana\",\"unknown\","));
    assert!(lines[2].starts_with("\"agent\",\"audio only\","));
    assert!(lines[2].contains("\"The camera C920 was unplugged.\""));
    assert!(lines[3].starts_with("\"colleague\",\"unknown\","));
}
