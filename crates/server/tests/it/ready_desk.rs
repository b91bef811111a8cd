//! Desks that stay connected and send self-tests, and the board that a supervisor has open.

use crate::harness::{Desk, Page, World};
use serde_json::json;
use sightline_wire::{
    ErrorCode, Problem, UnixMillis,
    agent::{AgentEvent, AgentRequest},
    conversation::Conversation,
    device::DeviceKind,
    escalation::{EscalationView, VideoStarted},
    ids::{DeskId, ReportId},
    readiness::{
        BoardRow, Check, CheckKind, DeviceIdentity, Extent, Finding, Lease, MyReadiness, Outcome, Readiness, Report,
    },
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::{
    select,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinHandle,
    time::{interval, timeout},
};
use uuid::Uuid;

/// Nothing here takes longer, unless it is broken.
const PATIENCE: Duration = Duration::from_secs(10);

pub fn now() -> UnixMillis {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// A server that gives video only to those who are ready.
pub async fn strict() -> World {
    World::with(|config| config.readiness.required = true).await
}

/// A desk that stays connected, and hears.
pub struct Seat {
    events: UnboundedReceiver<AgentEvent>,
    requests: UnboundedSender<AgentRequest>,
    connection: JoinHandle<()>,
}

impl Seat {
    /// Takes the agent's place, past the welcome; answers what the desk may be offered.
    pub async fn take(desk: &Desk, id: DeskId) -> (Self, MyReadiness) {
        let mut socket = desk.hello(id, true).await;
        let (heard, events) = unbounded_channel();
        let (requests, mut to_send) = unbounded_channel();
        let connection = tokio::spawn(async move {
            let mut beat = interval(Duration::from_secs(1));
            loop {
                select! {
                    frame = socket.next::<AgentEvent>() => match frame {
                        Ok(AgentEvent::Heartbeat) => {}
                        Ok(event) => drop(heard.send(event)),
                        Err(_) => return,
                    },
                    Some(request) = to_send.recv() => socket.send(&request).await,
                    _ = beat.tick() => socket.send(&AgentRequest::Heartbeat).await,
                }
            }
        });
        let mut seat = Self {
            events,
            requests,
            connection,
        };
        let mine = seat.readiness().await;
        (seat, mine)
    }

    pub fn say(&self, request: AgentRequest) {
        self.requests.send(request).unwrap();
    }

    pub async fn expect<R>(&mut self, what: &str, mut pick: impl FnMut(AgentEvent) -> Option<R>) -> R {
        let search = async {
            loop {
                let event = self
                    .events
                    .recv()
                    .await
                    .unwrap_or_else(|| panic!("closed before {what}"));
                if let Some(found) = pick(event) {
                    return found;
                }
            }
        };
        timeout(PATIENCE, search)
            .await
            .unwrap_or_else(|_| panic!("{what} did not come"))
    }

    /// The next word on what this desk may be offered.
    pub async fn readiness(&mut self) -> MyReadiness {
        self.expect("readiness", |event| match event {
            AgentEvent::Readiness(mine) => Some(mine),
            _ => None,
        })
        .await
    }

    pub async fn lease(&mut self) -> Lease {
        self.readiness().await.lease.expect("a lease")
    }

    /// The next row of this agent on the board.
    pub async fn row(&mut self, name: &str) -> BoardRow {
        self.expect("a row", |event| match event {
            AgentEvent::Board(row) if row.name == name => Some(row),
            _ => None,
        })
        .await
    }

    pub async fn problem(&mut self) -> ErrorCode {
        self.expect("a problem", |event| match event {
            AgentEvent::Problem(problem) => Some(problem.code),
            _ => None,
        })
        .await
    }

    /// Goes without a word.
    pub async fn leave(self) {
        self.connection.abort();
        let _ = self.connection.await;
    }
}

/// A supervisor with the board open, past its rows as they stood.
pub async fn watching(world: &World) -> (Desk, Seat, Vec<BoardRow>) {
    let desk = world.desk("supervisor").await;
    let (mut seat, _) = Seat::take(&desk, new_desk()).await;
    seat.say(AgentRequest::WatchBoard { open: true });
    let expected = rows(&desk).await.len();
    let mut shown = Vec::new();
    while shown.len() < expected {
        shown.push(
            seat.expect("the board", |event| match event {
                AgentEvent::Board(row) => Some(row),
                _ => None,
            })
            .await,
        );
    }
    (desk, seat, shown)
}

pub async fn rows(supervisor: &Desk) -> Vec<BoardRow> {
    supervisor.get("/v1/readiness/board").await.unwrap()
}

pub fn new_desk() -> DeskId {
    DeskId(Uuid::new_v4())
}

pub fn passed(kind: CheckKind) -> Check {
    let device = match kind {
        CheckKind::Camera => Some((DeviceKind::Camera, "C920")),
        CheckKind::Microphone => Some((DeviceKind::Microphone, "Headset")),
        CheckKind::Speaker => Some((DeviceKind::Speaker, "Headset")),
        _ => None,
    };
    Check {
        kind,
        outcome: Outcome::Pass,
        finding: None,
        sentence: "Works.".into(),
        remedy: String::new(),
        figures: Vec::new(),
        device: device.map(|(kind, name)| DeviceIdentity {
            kind,
            id: format!("test:{name}"),
            name: name.into(),
        }),
        took_ms: 1,
    }
}

pub fn report(extent: Extent, kinds: &[CheckKind]) -> Report {
    Report {
        id: ReportId(Uuid::new_v4()),
        extent,
        started_at: now() - 10,
        finished_at: now(),
        app_version: "0.1.0".into(),
        system: "Debian 12, x86_64".into(),
        readiness: Readiness::Video,
        checks: kinds.iter().copied().map(passed).collect(),
    }
}

pub fn full() -> Report {
    report(Extent::Full, &CheckKind::ALL)
}

pub fn quick() -> Report {
    report(Extent::Quick, &CheckKind::QUICK)
}

pub fn failing(mut report: Report, kind: CheckKind, finding: Finding) -> Report {
    for check in report.checks.iter_mut().filter(|check| check.kind == kind) {
        check.outcome = Outcome::Fail;
        check.finding = Some(finding);
    }
    report
}

pub async fn send(desk: &Desk, report: &Report) -> Result<MyReadiness, Problem> {
    desk.post("/v1/readiness/reports", serde_json::to_value(report).unwrap())
        .await
}

pub async fn start(desk: &Desk, conversation: &Conversation) -> Result<VideoStarted, Problem> {
    desk.start_video(conversation.id, Uuid::new_v4()).await
}

/// Starts a call that ends as the desk says on `route`, without having been live.
pub async fn start_and(desk: &Desk, conversation: &Conversation, route: &str) {
    let call = start(desk, conversation).await.unwrap().escalation;
    let _: EscalationView = desk
        .post(&format!("/v1/escalations/{}/{route}", call.id), json!({}))
        .await
        .unwrap();
}

/// A customer's chat, the agent who has accepted it, and that agent's desk with a passed test.
pub async fn ready(world: &World) -> (Desk, Page, Conversation, Seat, DeskId) {
    let (desk, page, conversation) = world.active().await;
    let id = new_desk();
    let (mut seat, _) = Seat::take(&desk, id).await;
    send(&desk, &full()).await.unwrap();
    assert_eq!(seat.lease().await.readiness, Readiness::Video);
    (desk, page, conversation, seat, id)
}
