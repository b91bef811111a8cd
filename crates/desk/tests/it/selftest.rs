//! The self-test as a window meets it, and without one: with a real server, a real echo peer, and whatever sound this
//! machine has. What depends on that sound is not asserted.

use crate::harness::{Folder, MemoryStore, TestDesk, Window, World};
use reqwest::{Client, StatusCode};
use serde_json::json;
use sightline_desk::{
    keyring::Keyring,
    selftest::{
        Wish,
        headless::{self, Credentials, Headless, Tested},
    },
};
use sightline_server::{NewAccount, Secret, ServerConfig};
use sightline_wire::{
    ErrorCode,
    account::{Role, Session},
    desk::{CallPhase, DeskCommand, SessionView},
    ids::{AccountId, ReportId},
    readiness::{Check, CheckKind, Extent, Finding, Outcome, Readiness, Report, Unit},
};
use std::{
    fs,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use uuid::Uuid;

/// Everything that needs the server's answer, or its way.
const BY_THE_SERVER: [CheckKind; 9] = [
    CheckKind::Clock,
    CheckKind::Line,
    CheckKind::Stun,
    CheckKind::RelayUdp,
    CheckKind::RelayTcp,
    CheckKind::RelayTls,
    CheckKind::Call,
    CheckKind::RelayedCall,
    CheckKind::Version,
];

fn check(window: &Window, kind: CheckKind) -> Option<Check> {
    window.test.checks.iter().find(|check| check.kind == kind).cloned()
}

async fn test(desk: &mut TestDesk, extent: Extent, check: Option<CheckKind>) {
    desk.command(DeskCommand::TestSelf { extent, check }).await.unwrap();
    desk.until("a test that runs", |w| {
        (w.test.extent == Some(extent) && w.test.finished_at.is_none()).then_some(())
    })
    .await;
}

async fn finished(desk: &mut TestDesk, extent: Extent) {
    desk.until("the end of the test", |w| {
        (w.test.extent == Some(extent) && w.test.finished_at.is_some() && w.test.running.is_empty()).then_some(())
    })
    .await;
}

fn me(window: &Window) -> Option<AccountId> {
    match window.session.as_ref()? {
        SessionView::SignedIn { account, .. } => Some(account.id),
        SessionView::Starting | SessionView::SignedOut { .. } => None,
    }
}

/// What the server has of this desk's own agent, asked until it fits.
async fn reports(desk: &mut TestDesk, what: &str, fits: impl Fn(&[Report]) -> bool) -> Vec<Report> {
    let agent = desk.until("who is signed in", me).await;
    for _ in 0..150 {
        desk.window.reports = None;
        if desk.command(DeskCommand::ReadReports { agent }).await.is_ok() {
            let reports = desk.until("reports", |w| w.reports.clone()).await;
            if fits(&reports) {
                return reports;
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("never stored: {what}")
}

/// A desk whose sign-in check is over and stored.
async fn settled(world: &World) -> TestDesk {
    let mut desk = world.desk().await;
    reports(&mut desk, "the check at sign-in", |reports| !reports.is_empty()).await;
    desk
}

/// A report in which everything has passed, as this desk's command line would send it.
async fn send_good_report(world: &World, desk: &TestDesk) {
    let http = Client::builder().no_proxy().build().unwrap();
    let session: Session = http
        .post(format!("{}/v1/auth/sign-in", world.url))
        .json(&json!({ "email": "agent@example.test", "password": world.password }))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let settings: serde_json::Value =
        serde_json::from_slice(&fs::read(desk.folder.0.join("desk.json")).unwrap()).unwrap();
    let passed = |kind| Check {
        kind,
        outcome: Outcome::Pass,
        finding: None,
        sentence: "It works.".into(),
        remedy: String::new(),
        figures: Vec::new(),
        device: None,
        took_ms: 1,
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
    let report = Report {
        id: ReportId(Uuid::new_v4()),
        extent: Extent::Full,
        started_at: now - 30_000,
        finished_at: now,
        app_version: "0.1.0".into(),
        system: "A test".into(),
        readiness: Readiness::Video,
        checks: CheckKind::ALL.map(passed).into(),
    };
    let sent = http
        .post(format!("{}/v1/readiness/reports", world.url))
        .bearer_auth(session.access_token)
        .header("x-sightline-desk", settings["desk"].as_str().unwrap())
        .json(&report)
        .send()
        .await
        .unwrap();
    assert_eq!(sent.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_are_looked_at_when_somebody_signs_in() {
    let world = World::start().await;
    let mut desk = world.desk().await;
    finished(&mut desk, Extent::Quick).await;
    let kinds: Vec<_> = desk.window.test.checks.iter().map(|check| check.kind).collect();
    assert_eq!(kinds, CheckKind::QUICK);
    let camera = check(&desk.window, CheckKind::Camera).unwrap();
    assert_ne!(camera.outcome, Outcome::Fail, "{camera:?}");
    assert_eq!(camera.device.unwrap().id, "synthetic:camera");
    assert_eq!(desk.window.test.readiness, None, "devices alone come to nothing");

    let stored = reports(&mut desk, "the quick check", |reports| !reports.is_empty()).await;
    assert_eq!(stored[0].extent, Extent::Quick);
    assert_eq!(stored[0].checks.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_check_is_done_again_by_itself() {
    let world = World::start().await;
    let mut desk = settled(&world).await;
    for kind in [
        CheckKind::Storage,
        CheckKind::Backend,
        CheckKind::Clock,
        CheckKind::Line,
    ] {
        test(&mut desk, Extent::Single, Some(kind)).await;
        finished(&mut desk, Extent::Single).await;
        let found = check(&desk.window, kind).unwrap();
        assert_ne!(found.outcome, Outcome::Skipped, "{found:?}");
    }
    let line = check(&desk.window, CheckKind::Line).unwrap();
    let capacities = line.figures.iter().filter(|figure| figure.unit == Unit::BitsPerSecond);
    assert_eq!(capacities.count(), 2, "{line:?}");
    // What the quick check has found is still there.
    assert!(check(&desk.window, CheckKind::Camera).is_some());
    let nothing = DeskCommand::TestSelf {
        extent: Extent::Single,
        check: None,
    };
    assert_eq!(desk.command(nothing).await.unwrap_err().code, ErrorCode::BadRequest);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_test_call_goes_to_the_echo_peer_and_back() {
    let world = World::start().await;
    let mut desk = settled(&world).await;
    test(&mut desk, Extent::Single, Some(CheckKind::Call)).await;
    finished(&mut desk, Extent::Single).await;
    let call = check(&desk.window, CheckKind::Call).unwrap();
    let broken = [
        Finding::CallFailed,
        Finding::CallWithoutPicture,
        Finding::CallWithoutSound,
        Finding::TooLate,
    ];
    assert!(
        !call.finding.is_some_and(|finding| broken.contains(&finding)),
        "{call:?}"
    );
    let figure = |name: &str| call.figures.iter().find(|figure| figure.name == name).map(|f| f.value);
    assert!(figure("connected").is_some_and(|ms| ms < 12_000.0), "{call:?}");
    assert!(figure("pictures").is_some_and(|count| count > 30.0), "{call:?}");
    assert!(figure("pictures_there").is_some_and(|count| count > 30.0), "{call:?}");
    assert!(figure("picture_delay").is_some(), "the barcode was read: {call:?}");
    // It was nobody's conversation, and it holds nobody's slot.
    assert!(desk.window.conversations.is_empty() && desk.window.call.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_the_server_is_named_and_nothing_else_that_needs_it() {
    let mut world = World::start().await;
    let mut desk = settled(&world).await;
    world.stop().await;
    desk.offline().await;
    test(&mut desk, Extent::Full, None).await;
    finished(&mut desk, Extent::Full).await;
    let backend = check(&desk.window, CheckKind::Backend).unwrap();
    assert_eq!(backend.finding, Some(Finding::BackendUnreachable));
    for kind in BY_THE_SERVER {
        let found = check(&desk.window, kind).unwrap();
        assert_eq!(found.outcome, Outcome::Skipped, "{found:?}");
        assert!(!found.sentence.is_empty());
    }
    let camera = check(&desk.window, CheckKind::Camera).unwrap();
    assert_ne!(camera.outcome, Outcome::Fail, "{camera:?}");
    assert_eq!(desk.window.test.readiness, Some(Readiness::NotReady));

    // The report waits, and goes out with the connection.
    world.go_on().await;
    desk.online().await;
    let stored = reports(&mut desk, "the report made without a server", |reports| {
        reports.iter().any(|report| report.extent == Extent::Full)
    })
    .await;
    let full = stored.iter().find(|report| report.extent == Extent::Full).unwrap();
    assert_eq!(full.checks.len(), CheckKind::ALL.len());
    assert_eq!(full.readiness, Readiness::NotReady);
}

fn demanding(config: &mut ServerConfig) {
    config.readiness.required = true;
}

#[tokio::test(flavor = "multi_thread")]
async fn video_waits_for_a_lease_where_one_is_demanded() {
    let world = World::with(demanding).await;
    let mut desk = settled(&world).await;
    let (_customer, id) = world.accepted(&mut desk, "Ana").await;
    let start = || DeskCommand::StartVideo { conversation: id };
    let refused = desk.command(start()).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotReadyForVideo);
    assert!(desk.window.call.is_none(), "no camera light went on");

    send_good_report(&world, &desk).await;
    desk.until("a lease for video", |w| {
        (w.test.lease.as_ref()?.readiness == Readiness::Video).then_some(())
    })
    .await;
    desk.command(start()).await.unwrap();
    desk.until("waiting for the customer", |w| {
        matches!(w.phase()?, CallPhase::Waiting { .. }).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_gives_way_to_a_call_and_does_not_begin_in_one() {
    let world = World::start().await;
    let (mut desk, _customer, id) = world.chatting().await;
    test(&mut desk, Extent::Full, None).await;
    desk.command(DeskCommand::StartVideo { conversation: id })
        .await
        .unwrap();
    desk.until("nothing under test any more", |w| {
        (w.test.running.is_empty() && w.call.is_some()).then_some(())
    })
    .await;
    let refused = desk
        .command(DeskCommand::TestSelf {
            extent: Extent::Full,
            check: None,
        })
        .await
        .unwrap_err();
    assert_eq!(refused.code, ErrorCode::CallLive);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_that_is_stopped_says_no_more() {
    let world = World::start().await;
    let mut desk = settled(&world).await;
    test(&mut desk, Extent::Full, None).await;
    desk.command(DeskCommand::StopTest).await.unwrap();
    desk.until("nothing under test any more", |w| {
        w.test.running.is_empty().then_some(())
    })
    .await;
    let refused = desk.command(DeskCommand::ToneHeard { heard: true }).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::NotFound);
    assert_eq!(desk.window.test.finished_at, None);
}

pub fn supervised(config: &mut ServerConfig) {
    let password = config.first_accounts[0]
        .password
        .as_ref()
        .map(|kept| kept.expose().to_owned());
    config.first_accounts.push(NewAccount {
        email: "supervisor@example.test".into(),
        name: "Sofia".into(),
        role: Role::Supervisor,
        password: password.map(Secret::new),
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_sees_the_board_and_asks_for_a_test() {
    let world = World::with(supervised).await;
    let mut desk = settled(&world).await;
    assert_eq!(
        desk.command(DeskCommand::WatchBoard { open: true })
            .await
            .unwrap_err()
            .code,
        ErrorCode::NotAllowed
    );
    let agent = desk.until("who is signed in", me).await;

    let mut supervisor = TestDesk::start(&world.url, Folder::new(), MemoryStore::default().keyring());
    supervisor
        .sign_in_as("supervisor@example.test", &world.password)
        .await
        .unwrap();
    supervisor.online().await;
    supervisor
        .command(DeskCommand::WatchBoard { open: true })
        .await
        .unwrap();
    supervisor
        .until("the agent on the board", |w| {
            let row = w.board.as_ref()?.iter().find(|row| row.agent == agent)?;
            row.online.then_some(())
        })
        .await;
    supervisor.command(DeskCommand::AskForTest { agent }).await.unwrap();
    desk.until("a test that somebody else asked for", |w| {
        (w.test.extent == Some(Extent::Full) && !w.test.running.is_empty()).then_some(())
    })
    .await;
    supervisor
        .until("that on the board", |w| {
            let row = w.board.as_ref()?.iter().find(|row| row.agent == agent)?;
            row.testing.then_some(())
        })
        .await;
    desk.command(DeskCommand::StopTest).await.unwrap();

    supervisor
        .command(DeskCommand::SaveReadiness { board: true })
        .await
        .unwrap();
    let path = supervisor.until("a file", |w| w.saved.clone()).await;
    assert!(path.starts_with(&supervisor.folder.0.display().to_string()), "{path}");
    assert!(fs::read_to_string(path).unwrap().contains("Maria"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_report_is_saved_as_it_was_sent() {
    let world = World::start().await;
    let mut desk = settled(&world).await;
    desk.command(DeskCommand::SaveReadiness { board: false }).await.unwrap();
    let path = desk.until("a file", |w| w.saved.clone()).await;
    let saved: Report = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let stored = reports(&mut desk, "the same", |reports| {
        reports.iter().any(|report| report.id == saved.id)
    })
    .await;
    assert!(!stored.is_empty());
}

fn headless(world: &World, folder: &Folder, credentials: Credentials, kinds: &[CheckKind]) -> Headless {
    Headless {
        server: world.url.clone(),
        server_name: world.url.clone(),
        data_dir: folder.0.clone(),
        credentials,
        keyring: MemoryStore::default().keyring(),
        wish: Wish {
            extent: Extent::Single,
            kinds: kinds.into(),
            ..Wish::full()
        },
    }
}

fn agent(world: &World) -> Credentials {
    Credentials::Password {
        email: "agent@example.test".into(),
        password: world.password.clone(),
    }
}

fn outcome(tested: &Tested, kind: CheckKind) -> Outcome {
    let mut checks = tested.report.checks.iter();
    let found = checks.find(|check| check.kind == kind);
    found.unwrap_or_else(|| panic!("{kind:?} is missing")).outcome
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_needs_no_window() {
    let (world, folder) = (World::start().await, Folder::new());
    let kinds = [
        CheckKind::Backend,
        CheckKind::Clock,
        CheckKind::Line,
        CheckKind::Storage,
        CheckKind::Keyring,
        CheckKind::Version,
    ];
    let tested = headless::run(headless(&world, &folder, agent(&world), &kinds), |_| ())
        .await
        .unwrap();
    assert_eq!(tested.not_signed_in, None);
    assert!(tested.sent.is_none(), "a few checks are no report");
    assert_eq!(tested.report.checks.len(), kinds.len());
    assert_ne!(outcome(&tested, CheckKind::Line), Outcome::Skipped);
    for kind in [CheckKind::Backend, CheckKind::Clock, CheckKind::Keyring] {
        assert_eq!(outcome(&tested, kind), Outcome::Pass, "{:?}", tested.report.checks);
    }
    assert_ne!(outcome(&tested, CheckKind::Storage), Outcome::Skipped);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_in_the_keyring_is_used_and_kept() {
    let world = World::start().await;
    let store = MemoryStore::default();
    let mut desk = TestDesk::start(&world.url, Folder::new(), store.keyring());
    desk.sign_in(&world.password).await.unwrap();
    desk.online().await;
    let folder = desk.quit().await;
    let kinds = [CheckKind::Backend, CheckKind::Line];
    let kept = Credentials::Kept(store.keyring());
    let tested = headless::run(headless(&world, &folder, kept, &kinds), |_| ())
        .await
        .unwrap();
    assert_eq!(tested.not_signed_in, None);
    // The app goes on with it.
    let mut desk = TestDesk::start(&world.url, folder, store.keyring());
    desk.online().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_signed_in_and_nobody_there_are_told_apart() {
    let (mut world, folder) = (World::start().await, Folder::new());
    let kinds = [CheckKind::Backend, CheckKind::Line, CheckKind::RelayUdp];
    let wrong = Credentials::Password {
        email: "agent@example.test".into(),
        password: "not it".into(),
    };
    let tested = headless::run(headless(&world, &folder, wrong, &kinds), |_| ())
        .await
        .unwrap();
    assert_eq!(tested.not_signed_in.as_ref().unwrap().code, ErrorCode::WrongCredentials);
    assert_eq!(outcome(&tested, CheckKind::Backend), Outcome::Pass);
    assert_eq!(outcome(&tested, CheckKind::RelayUdp), Outcome::Skipped);

    let empty = Credentials::Kept(Keyring::of(Vec::new(), Duration::from_secs(1)));
    let tested = headless::run(headless(&world, &folder, empty, &kinds), |_| ())
        .await
        .unwrap();
    assert_eq!(tested.not_signed_in.as_ref().unwrap().code, ErrorCode::NotSignedIn);

    world.stop().await;
    let tested = headless::run(headless(&world, &folder, agent(&world), &kinds), |_| ())
        .await
        .unwrap();
    assert_eq!(
        tested.not_signed_in.as_ref().unwrap().code,
        ErrorCode::ServerUnreachable
    );
    assert_eq!(outcome(&tested, CheckKind::Backend), Outcome::Fail);
    assert_eq!(outcome(&tested, CheckKind::Line), Outcome::Skipped);
    assert_eq!(tested.report.readiness, Readiness::NotReady);
}
