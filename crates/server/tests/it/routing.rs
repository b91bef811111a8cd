//! Conversations that are assigned: to whoever is free and able, by the lease as it is at that moment, and on to the
//! next one as soon as that ends.

use crate::{
    harness::{Answer, Desk, Page, World},
    ready_desk::{Seat, full, new_desk, send, start},
};
use serde_json::{Value, json};
use sightline_call::routing::Queue;
use sightline_server::RoutingMode;
use sightline_wire::{
    ErrorCode, Problem,
    agent::{AgentEvent, AgentRequest},
    conversation::{Conversation, ConversationState},
    device::DeviceKind,
    escalation::EscalationView,
    ids::ConversationId,
    readiness::{Narrowing, Readiness},
    routing::{Assignment, Pause, TakenBack},
};

/// A server that assigns conversations, and gives video only to those who are ready.
async fn pushing(assignment_ms: i64) -> World {
    World::with(|config| {
        config.readiness.required = true;
        config.routing = RoutingMode::Push(Queue {
            assignment_ms,
            ..Queue::default()
        });
    })
    .await
}

/// Long enough that no deadline passes in a test.
const LONG_MS: i64 = 60_000;

/// A desk that is there and has passed its test.
pub async fn able(world: &World, name: &str) -> (Desk, Seat) {
    let (desk, mut seat) = untested(world, name).await;
    send(&desk, &full()).await.unwrap();
    assert_eq!(seat.lease().await.readiness, Readiness::Video);
    (desk, seat)
}

pub async fn untested(world: &World, name: &str) -> (Desk, Seat) {
    let desk = world.desk(name).await;
    let (seat, _) = Seat::take(&desk, new_desk()).await;
    (desk, seat)
}

/// A customer who writes, and wants to be seen or not.
async fn customer(world: &World, video: bool) -> Page {
    let context = match video {
        // As a page sends it whose context nobody has declared.
        true => json!({ "VideoCall": "True" }),
        false => json!({}),
    };
    let page = world.api.page_with(json!({ "context": context })).await;
    page.say("Hello").await;
    page
}

impl Seat {
    pub async fn asked(&mut self) -> Assignment {
        self.expect("an assignment", |event| match event {
            AgentEvent::Assigned(assignment) => Some(assignment),
            _ => None,
        })
        .await
    }

    /// The assignment that ends, and what was said before it.
    pub async fn taken_back(&mut self) -> (ConversationId, TakenBack, bool) {
        self.expect("the end of an assignment", |event| match event {
            AgentEvent::TakenBack {
                conversation,
                why,
                elsewhere,
            } => Some((conversation, why, elsewhere)),
            _ => None,
        })
        .await
    }

    pub async fn paused(&mut self, wanted: Option<Pause>) {
        self.expect("a pause, or its end", |event| match event {
            AgentEvent::Paused { why } => (why == wanted).then_some(()),
            _ => None,
        })
        .await;
    }

    fn unplugs_camera(&self) {
        self.say(AgentRequest::Narrow {
            why: Narrowing::Unplugged {
                kind: DeviceKind::Camera,
                name: "C920".into(),
            },
        });
    }
}

pub async fn accept(desk: &Desk, id: ConversationId) -> Result<Conversation, Problem> {
    desk.post(&format!("/v1/conversations/{id}/accept"), json!({})).await
}

pub async fn decline(desk: &Desk, id: ConversationId) {
    desk.post::<Value>(&format!("/v1/conversations/{id}/decline"), json!({}))
        .await
        .unwrap();
}

#[tokio::test]
async fn video_goes_to_the_desk_with_a_lease_and_text_to_whoever_is_idle() {
    let world = pushing(LONG_MS).await;
    // Longer without work, and without a lease.
    let (agent, mut first) = untested(&world, "agent").await;
    let (colleague, mut second) = able(&world, "colleague").await;
    let _video = customer(&world, true).await;
    let asked = second.asked().await;
    assert!(asked.video);
    assert_eq!((asked.left_ms, asked.asked_ms), (LONG_MS, LONG_MS));
    assert_eq!(asked.because, "Nobody else could take it.");
    let _text = customer(&world, false).await;
    let text = first.asked().await;
    assert!(!text.video && text.conversation != asked.conversation);

    // One is asked, and nobody else can take it meanwhile.
    let early = accept(&agent, asked.conversation).await.refused();
    assert_eq!(early.code, ErrorCode::ColleagueAsked);
    let taken = accept(&colleague, asked.conversation).await.unwrap();
    assert_eq!(taken.owner, Some(colleague.session.account.id));
    accept(&agent, text.conversation).await.unwrap();
    assert!(start(&colleague, &taken).await.is_ok(), "the call can begin");
}

#[tokio::test]
async fn a_camera_that_is_unplugged_sends_the_video_on_in_the_same_step() {
    let world = pushing(LONG_MS).await;
    let (agent, mut first) = able(&world, "agent").await;
    let (colleague, mut second) = able(&world, "colleague").await;
    let _page = customer(&world, true).await;
    let asked = first.asked().await;
    assert_eq!(
        asked.because,
        "Without new work for longer than 1 others who could take it."
    );
    first.unplugs_camera();
    // The desk hears what it lacks first: it is the reason.
    assert_eq!(first.lease().await.readiness, Readiness::Audio);
    assert_eq!(
        first.taken_back().await,
        (asked.conversation, TakenBack::LeaseNarrowed, true)
    );
    assert_eq!(second.asked().await.conversation, asked.conversation);
    assert_eq!(
        accept(&agent, asked.conversation).await.refused().code,
        ErrorCode::ColleagueAsked
    );
    accept(&colleague, asked.conversation).await.unwrap();
    // Nothing was missed or declined: text comes as before.
    let _text = customer(&world, false).await;
    first.asked().await;
}

#[tokio::test]
async fn who_does_not_answer_is_not_asked_again_before_saying_so() {
    let world = pushing(700).await;
    let (agent, mut first) = untested(&world, "agent").await;
    let (colleague, mut second) = untested(&world, "colleague").await;
    first.paused(None).await;
    let _page = customer(&world, false).await;
    let asked = first.asked().await;
    assert_eq!(first.taken_back().await, (asked.conversation, TakenBack::Missed, true));
    first.paused(Some(Pause::Missed)).await;
    assert_eq!(second.asked().await.conversation, asked.conversation);
    assert_eq!(
        second.taken_back().await,
        (asked.conversation, TakenBack::Missed, false)
    );

    first.say(AgentRequest::BackAgain);
    assert_eq!(first.asked().await.conversation, asked.conversation);
    first.paused(None).await;
    accept(&agent, asked.conversation).await.unwrap();
    // Taking something unasked says so, too.
    let _page = customer(&world, false).await;
    let next = first.asked().await.conversation;
    first.taken_back().await;
    accept(&colleague, next).await.unwrap();
    second.paused(None).await;
}

#[tokio::test]
async fn who_declines_is_not_disturbed_and_the_next_one_is_asked() {
    let world = pushing(LONG_MS).await;
    let (agent, mut first) = untested(&world, "agent").await;
    let (colleague, mut second) = untested(&world, "colleague").await;
    let _page = customer(&world, false).await;
    let asked = first.asked().await.conversation;
    decline(&agent, asked).await;
    assert_eq!(first.taken_back().await, (asked, TakenBack::Declined, true));
    first.paused(Some(Pause::Declined)).await;
    assert_eq!(second.asked().await.conversation, asked);
    // Not asked any more: it says nothing new, and takes nothing from the colleague.
    decline(&agent, asked).await;
    decline(&colleague, asked).await;
    assert_eq!(second.taken_back().await, (asked, TakenBack::Declined, false));
    // Taken by hand after all, which ends the pause.
    let taken = accept(&agent, asked).await.unwrap();
    assert_eq!(taken.state, ConversationState::Active);
    first.paused(None).await;
}

#[tokio::test]
async fn a_desk_that_goes_is_not_asked_and_one_that_reconnects_goes_on_being_asked() {
    let world = pushing(LONG_MS).await;
    let agent = world.desk("agent").await;
    let id = new_desk();
    let (first, _) = Seat::take(&agent, id).await;
    let page = customer(&world, false).await;
    // The same desk with another socket, as after a network that was away for a moment.
    let (mut again, _) = Seat::take(&agent, id).await;
    let asked = again.asked().await;
    assert!(asked.left_ms <= asked.asked_ms);
    let (_colleague, mut second) = untested(&world, "colleague").await;
    again.leave().await;
    first.leave().await;
    assert_eq!(second.asked().await.conversation, asked.conversation);
    // A customer who leaves is nobody's any more.
    page.activity(json!({ "type": "endOfConversation", "from": { "id": "me" } }))
        .await
        .unwrap();
    assert_eq!(
        second.taken_back().await,
        (asked.conversation, TakenBack::Withdrawn, false)
    );
}

#[tokio::test]
async fn video_that_nobody_can_carry_waits_for_a_lease() {
    let world = pushing(LONG_MS).await;
    let (agent, mut seat) = untested(&world, "agent").await;
    let _page = customer(&world, true).await;
    let supervisor = world.desk("supervisor").await;
    let (_supervisors, inbox) = supervisor.listen().await;
    // What waits is nobody's to see but the supervisor's.
    let waiting = inbox.last().unwrap().id;
    let hidden = agent.get::<Conversation>(&format!("/v1/conversations/{waiting}")).await;
    assert_eq!(hidden.refused().code, ErrorCode::NotYourConversation);
    // Not by hand either: the call could not begin.
    assert_eq!(
        accept(&agent, waiting).await.refused().code,
        ErrorCode::NotReadyForVideo
    );
    assert_eq!(
        accept(&supervisor, waiting).await.refused().code,
        ErrorCode::CannotTakeNow
    );
    send(&agent, &full()).await.unwrap();
    assert_eq!(seat.asked().await.conversation, waiting);
    accept(&agent, waiting).await.unwrap();
}

#[tokio::test]
async fn what_waits_and_who_is_paused_outlives_a_restart() {
    let mut world = pushing(LONG_MS).await;
    let (agent, mut first) = untested(&world, "agent").await;
    let _video = customer(&world, true).await;
    let _text = customer(&world, false).await;
    let text = first.asked().await;
    assert!(!text.video);
    decline(&agent, text.conversation).await;
    first.paused(Some(Pause::Declined)).await;
    world.restart().await;
    first.leave().await;
    let (_agent, mut first) = untested(&world, "agent").await;
    first.paused(Some(Pause::Declined)).await;
    let (colleague, mut second) = untested(&world, "colleague").await;
    assert_eq!(second.asked().await.conversation, text.conversation);
    send(&colleague, &full()).await.unwrap();
    assert_eq!(second.lease().await.readiness, Readiness::Video);
    decline(&colleague, text.conversation).await;
    second.say(AgentRequest::BackAgain);
    // It has waited for longer.
    let other = second.asked().await;
    assert!(other.video);
    accept(&colleague, other.conversation).await.unwrap();
    first.say(AgentRequest::BackAgain);
    assert_eq!(first.asked().await.conversation, text.conversation);
}

#[tokio::test]
async fn nothing_is_assigned_in_a_call() {
    let world = pushing(LONG_MS).await;
    let (agent, mut seat) = able(&world, "agent").await;
    let _page = customer(&world, false).await;
    let asked = seat.asked().await.conversation;
    let conversation = accept(&agent, asked).await.unwrap();
    let call = start(&agent, &conversation).await.unwrap().escalation;
    let _other = customer(&world, false).await;
    let _: EscalationView = agent
        .post(&format!("/v1/escalations/{}/end", call.id), json!({}))
        .await
        .unwrap();
    seat.expect("the end of the call", |event| match event {
        AgentEvent::Conversation(c) => (!c.escalation?.state.holds_slot()).then_some(()),
        AgentEvent::Assigned(_) => panic!("asked in a call"),
        _ => None,
    })
    .await;
    assert_ne!(seat.asked().await.conversation, asked);
}
