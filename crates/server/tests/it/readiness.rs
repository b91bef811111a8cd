//! Self-tests become leases, and whatever speaks against them takes them away.

use crate::{
    harness::{Answer, World, browser},
    ready_desk::{
        Seat, failing, full, new_desk, now, passed, quick, ready, report, send, start, start_and, strict, watching,
    },
};
use reqwest::{Method, StatusCode};
use serde_json::json;
use sightline_wire::{
    ErrorCode,
    agent::{AgentEvent, AgentRequest},
    device::DeviceKind,
    escalation::{EscalationState, EscalationView},
    readiness::{CheckKind, Extent, Finding, MyReadiness, Narrowing, Readiness, Report},
    room::RoomRequest,
};

#[tokio::test]
async fn a_passed_self_test_gives_video_and_nothing_else_does() {
    let world = strict().await;
    let (desk, _page, conversation) = world.active().await;
    let away = start(&desk, &conversation).await.refused();
    assert_eq!(away.code, ErrorCode::NotReadyForVideo);
    assert!(away.message.contains("not connected"), "{}", away.message);

    let (mut seat, before) = Seat::take(&desk, new_desk()).await;
    assert_eq!(before.lease, None);
    assert!(before.policy.required);
    let untested = start(&desk, &conversation).await.refused();
    assert_eq!(untested.code, ErrorCode::NotReadyForVideo);
    assert!(untested.message.contains("No self-test"), "{}", untested.message);

    // What the report claims to come to counts for nothing.
    let dark = failing(full(), CheckKind::Camera, Finding::CameraBlack);
    let lease = send(&desk, &dark).await.unwrap().lease.unwrap();
    assert_eq!(lease.readiness, Readiness::Audio);
    let sound_only = start(&desk, &conversation).await.refused();
    assert!(
        sound_only.message.contains(Finding::CameraBlack.sentence()),
        "{}",
        sound_only.message
    );
    assert_eq!(seat.lease().await, lease);

    let mine = send(&desk, &full()).await.unwrap();
    let lease = mine.lease.clone().unwrap();
    assert_eq!((lease.readiness, lease.narrowed_by.len()), (Readiness::Video, 0));
    assert_eq!(lease.devices.len(), 3);
    let hours = mine.policy.lease_ms as i64;
    assert!((now() + hours - 60_000..=now() + hours).contains(&lease.expires_at));
    assert_eq!(seat.readiness().await, mine);
    assert_eq!(desk.get::<MyReadiness>("/v1/readiness").await.unwrap(), mine);
    assert!(start(&desk, &conversation).await.is_ok());
}

#[tokio::test]
async fn where_it_is_advised_nobody_is_kept_from_calling() {
    let world = World::start().await;
    let (desk, _page, conversation) = world.active().await;
    let mine: MyReadiness = desk.get("/v1/readiness").await.unwrap();
    assert!(!mine.policy.required);
    assert!(start(&desk, &conversation).await.is_ok());
}

#[tokio::test]
async fn what_speaks_against_a_lease_takes_it_at_once_and_is_told_once() {
    let world = strict().await;
    let (desk, _page, conversation, mut seat, _) = ready(&world).await;
    let (_supervisor, mut board, shown) = watching(&world).await;
    assert_eq!(
        shown.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(),
        ["agent", "colleague"],
        "a supervisor who never tests is not among them"
    );
    let row = &shown[0];
    assert!(row.online && row.tested_at.is_some() && !row.testing);
    assert_eq!(row.lease.as_ref().unwrap().readiness, Readiness::Video);
    assert_eq!((shown[1].online, &shown[1].lease), (false, &None));

    let why = Narrowing::Unplugged {
        kind: DeviceKind::Camera,
        name: "C920".into(),
    };
    seat.say(AgentRequest::Narrow { why: why.clone() });
    // Told twice, it changes nothing twice.
    seat.say(AgentRequest::Narrow { why: why.clone() });
    let lease = seat.lease().await;
    assert_eq!(
        (lease.readiness, lease.narrowed_by),
        (Readiness::Audio, vec![why.clone()])
    );
    // What the server finds out by itself is not for a desk to say.
    seat.say(AgentRequest::Narrow {
        why: Narrowing::Offline,
    });
    assert_eq!(seat.problem().await, ErrorCode::BadRequest);
    let row = board.row("agent").await;
    assert_eq!(row.lease.unwrap().narrowed_by, [why]);
    let refused = start(&desk, &conversation).await.refused();
    assert!(refused.message.contains("C920"), "{}", refused.message);

    // Plugged back in, and quickly checked: no frame has come between.
    let mine = send(&desk, &quick()).await.unwrap();
    let lease = seat.lease().await;
    assert_eq!((lease.readiness, Some(&lease)), (Readiness::Video, mine.lease.as_ref()));
    assert_eq!(board.row("agent").await.lease, Some(lease));
    assert!(start(&desk, &conversation).await.is_ok());
}

#[tokio::test]
async fn a_quick_check_that_fails_narrows_and_gives_nothing_to_a_desk_without_a_full_one() {
    let world = strict().await;
    let (desk, _page, conversation, mut seat, _) = ready(&world).await;
    let muted = failing(quick(), CheckKind::Microphone, Finding::MicrophoneMuted);
    send(&desk, &muted).await.unwrap();
    let lease = seat.lease().await;
    assert_eq!(lease.readiness, Readiness::NotReady);
    assert_eq!(
        lease.narrowed_by,
        [Narrowing::Failed {
            check: CheckKind::Microphone,
            finding: Some(Finding::MicrophoneMuted)
        }]
    );
    assert!(start(&desk, &conversation).await.is_err());

    let colleague = world.desk("colleague").await;
    let (_seat, _) = Seat::take(&colleague, new_desk()).await;
    let lease = send(&colleague, &quick()).await.unwrap().lease;
    assert!(lease.is_none_or(|lease| lease.readiness == Readiness::NotReady));
}

#[tokio::test]
async fn a_report_that_is_sent_twice_counts_once_and_thirty_are_kept() {
    let world = strict().await;
    let (desk, _page, _conversation, _seat, _) = ready(&world).await;
    let mine: MyReadiness = desk.get("/v1/readiness").await.unwrap();
    let agent = desk.session.account.id;
    let path = format!("/v1/readiness/agents/{agent}/reports");
    let again = quick();
    assert_eq!(send(&desk, &again).await.unwrap(), mine);
    assert_eq!(send(&desk, &again).await.unwrap(), mine);
    let kept: Vec<Report> = desk.get(&path).await.unwrap();
    assert_eq!(kept.len(), 2);
    assert_eq!(kept[0], again);

    let colleague = world.desk("colleague").await;
    let (_other, _) = Seat::take(&colleague, new_desk()).await;
    assert_eq!(send(&colleague, &again).await.refused().code, ErrorCode::BadRequest);

    let mut sent = Vec::new();
    for _ in 0..30 {
        let report = quick();
        send(&desk, &report).await.unwrap();
        sent.push(report.id);
    }
    let kept: Vec<Report> = desk.get(&path).await.unwrap();
    sent.reverse();
    assert_eq!(kept.iter().map(|report| report.id).collect::<Vec<_>>(), sent);
    // The full test is not among them any more, and its lease counts as before.
    assert_eq!(desk.get::<MyReadiness>("/v1/readiness").await.unwrap(), mine);
}

#[tokio::test]
async fn what_is_no_report_is_refused() {
    let world = strict().await;
    let desk = world.desk("agent").await;
    let homeless = send(&desk, &full()).await.refused();
    assert_eq!(homeless.code, ErrorCode::BadRequest, "from which desk?");
    let (_seat, _) = Seat::take(&desk, new_desk()).await;
    let mut twice = full();
    twice.checks.push(passed(CheckKind::Camera));
    let mut partial = full();
    partial.checks.retain(|check| check.kind != CheckKind::Call);
    let empty = report(Extent::Single, &[]);
    for odd in [&twice, &partial, &empty] {
        assert_eq!(send(&desk, odd).await.refused().code, ErrorCode::BadRequest);
    }
    let kept: Vec<Report> = desk
        .get(&format!("/v1/readiness/agents/{}/reports", desk.session.account.id))
        .await
        .unwrap();
    assert!(kept.is_empty());
}

#[tokio::test]
async fn a_test_without_a_window_gives_the_desk_its_lease() {
    let world = strict().await;
    let (desk, _page, conversation) = world.active().await;
    let id = new_desk();
    // As `sightline selftest` sends it: no socket, but the name of the desk.
    let early = desk
        .api
        .request(Method::POST, "/v1/readiness/reports")
        .bearer_auth(&desk.session.access_token)
        .header("x-sightline-desk", id.to_string())
        .json(&full())
        .send()
        .await
        .unwrap();
    assert_eq!(early.status(), StatusCode::OK);
    let early: MyReadiness = early.json().await.unwrap();
    let lease = early.lease.unwrap();
    assert_eq!(
        (lease.readiness, lease.narrowed_by),
        (Readiness::NotReady, vec![Narrowing::Offline])
    );

    // Another desk of the same agent has to pass a test of its own.
    let (_other, mine) = Seat::take(&desk, new_desk()).await;
    assert_eq!(mine.lease, None);
    assert!(start(&desk, &conversation).await.is_err());
    let (_seat, mine) = Seat::take(&desk, id).await;
    assert_eq!(mine.lease.unwrap().readiness, Readiness::Video);
    assert!(start(&desk, &conversation).await.is_ok());
}

#[tokio::test]
async fn a_desk_that_goes_is_offered_nothing_until_it_is_back() {
    let world = strict().await;
    let (desk, _page, conversation, seat, id) = ready(&world).await;
    let (_supervisor, mut board, _) = watching(&world).await;
    seat.leave().await;
    let row = board.row("agent").await;
    let lease = row.lease.unwrap();
    assert!(!row.online);
    assert_eq!(
        (lease.readiness, lease.narrowed_by),
        (Readiness::NotReady, vec![Narrowing::Offline])
    );
    let away = start(&desk, &conversation).await.refused();
    assert_eq!(away.code, ErrorCode::NotReadyForVideo);
    let (_seat, mine) = Seat::take(&desk, id).await;
    assert_eq!(mine.lease.unwrap().readiness, Readiness::Video);
    let row = board.row("agent").await;
    assert!(row.online);
    assert_eq!(row.lease.unwrap().readiness, Readiness::Video);
    assert!(start(&desk, &conversation).await.is_ok());
}

#[tokio::test]
async fn a_lease_ends_by_itself() {
    let world = World::with(|config| {
        config.readiness.required = true;
        config.readiness.lease_ms = 2_000;
    })
    .await;
    let (desk, _page, conversation) = world.active().await;
    let (_supervisor, mut board, _) = watching(&world).await;
    let (mut seat, _) = Seat::take(&desk, new_desk()).await;
    let given = send(&desk, &full()).await.unwrap().lease.unwrap();
    assert_eq!(seat.lease().await, given);
    let ended = seat.lease().await;
    assert!(now() >= given.expires_at, "not before its time");
    assert_eq!(
        (ended.readiness, ended.narrowed_by),
        (Readiness::NotReady, vec![Narrowing::Expired])
    );
    board
        .expect("the end on the board", |event| match event {
            AgentEvent::Board(row) => (row.lease?.narrowed_by == [Narrowing::Expired]).then_some(()),
            _ => None,
        })
        .await;
    let refused = start(&desk, &conversation).await.refused();
    assert!(refused.message.contains("too long ago"), "{}", refused.message);
    send(&desk, &full()).await.unwrap();
    assert_eq!(seat.lease().await.readiness, Readiness::Video);
}

#[tokio::test]
async fn leases_outlive_a_restart() {
    let mut world = strict().await;
    let (desk, _page, conversation, seat, id) = ready(&world).await;
    let before: MyReadiness = desk.get("/v1/readiness").await.unwrap();
    let expires_at = before.lease.unwrap().expires_at;
    world.restart().await;
    seat.leave().await;
    let waiting: MyReadiness = desk.get("/v1/readiness").await.unwrap();
    let lease = waiting.lease.unwrap();
    assert_eq!(
        (lease.readiness, lease.narrowed_by, lease.expires_at),
        (Readiness::NotReady, vec![Narrowing::Offline], expires_at)
    );
    let (_seat, mine) = Seat::take(&desk, id).await;
    let lease = mine.lease.unwrap();
    assert_eq!((lease.readiness, lease.expires_at), (Readiness::Video, expires_at));
    assert!(start(&desk, &conversation).await.is_ok());
}

#[tokio::test]
async fn a_lease_ends_on_time_though_the_server_was_restarted() {
    let mut world = World::with(|config| {
        config.readiness.required = true;
        config.readiness.lease_ms = 3_000;
    })
    .await;
    let desk = world.desk("agent").await;
    let id = new_desk();
    let (seat, _) = Seat::take(&desk, id).await;
    let given = send(&desk, &full()).await.unwrap().lease.unwrap();
    world.restart().await;
    seat.leave().await;
    let (mut seat, mine) = Seat::take(&desk, id).await;
    let mut lease = mine.lease.unwrap();
    if lease.narrowed_by.is_empty() {
        lease = seat.lease().await;
    }
    assert!(now() >= given.expires_at);
    assert_eq!(
        (lease.narrowed_by, lease.expires_at),
        (vec![Narrowing::Expired], given.expires_at)
    );
}

#[tokio::test]
async fn three_calls_that_do_not_come_about_leave_sound() {
    let world = strict().await;
    let (desk, page, conversation, mut seat, _) = ready(&world).await;
    let lease_now = async || {
        let mine: MyReadiness = desk.get("/v1/readiness").await.unwrap();
        mine.lease.unwrap()
    };
    // Two that fail, one that is taken back, and one that comes about: it is counted from the beginning again.
    start_and(&desk, &conversation, "fail").await;
    start_and(&desk, &conversation, "fail").await;
    start_and(&desk, &conversation, "end").await;
    let call = start(&desk, &conversation).await.unwrap().escalation;
    let code = call.url.rsplit('/').next().unwrap().to_string();
    let redeemed = page.api.redeem(&code, &browser()).await.unwrap();
    let mut customer = page.api.room(&redeemed.room_token, None).await;
    customer.send(&RoomRequest::MediaFlowing).await;
    seat.expect("a live call", |event| match event {
        AgentEvent::Conversation(c) => matches!(c.escalation?.state, EscalationState::Live { .. }).then_some(()),
        _ => None,
    })
    .await;
    let _: EscalationView = desk
        .post(&format!("/v1/escalations/{}/end", call.id), json!({}))
        .await
        .unwrap();
    start_and(&desk, &conversation, "fail").await;
    start_and(&desk, &conversation, "fail").await;
    assert_eq!(lease_now().await.readiness, Readiness::Video);
    start_and(&desk, &conversation, "fail").await;
    let lease = seat.lease().await;
    assert_eq!(
        (lease.readiness, &lease.narrowed_by),
        (Readiness::Audio, &vec![Narrowing::Handshakes])
    );
    assert_eq!(lease_now().await, lease);
    let refused = start(&desk, &conversation).await.refused();
    assert_eq!(refused.code, ErrorCode::NotReadyForVideo);
    assert!(refused.message.contains("Three calls"), "{}", refused.message);

    // Devices were not what was wrong; a test with a real call is.
    send(&desk, &quick()).await.unwrap();
    assert_eq!(lease_now().await.readiness, Readiness::Audio);
    send(&desk, &full()).await.unwrap();
    assert_eq!(seat.lease().await.readiness, Readiness::Video);
    assert!(start(&desk, &conversation).await.is_ok());
}

#[tokio::test]
async fn an_old_app_is_not_ready_whatever_it_says_of_itself() {
    let world = World::with(|config| {
        config.readiness.required = true;
        config.readiness.minimum_version = "0.2.0".into();
    })
    .await;
    let desk = world.desk("agent").await;
    let (_seat, _) = Seat::take(&desk, new_desk()).await;
    let lease = send(&desk, &full()).await.unwrap().lease.unwrap();
    assert_eq!(lease.readiness, Readiness::NotReady);
    assert_eq!(
        lease.narrowed_by,
        [Narrowing::Failed {
            check: CheckKind::Version,
            finding: Some(Finding::VersionOld)
        }]
    );
    let updated = Report {
        app_version: "0.10.0".into(),
        ..full()
    };
    let lease = send(&desk, &updated).await.unwrap().lease.unwrap();
    assert_eq!(lease.readiness, Readiness::Video);
}
