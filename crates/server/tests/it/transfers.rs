//! Handing a conversation over: to a colleague, who is asked while the owner keeps the customer, or to a queue.

use crate::{
    harness::{Answer, Desk, Page, World},
    ready_desk::{Seat, new_desk},
    routing::{accept, decline, untested},
};
use serde_json::json;
use sightline_server::Deployment;
use sightline_wire::{
    ErrorCode, Problem,
    agent::{AgentEvent, AgentRequest},
    conversation::{Body, Conversation, ConversationState},
    history::HistoryLine,
    ids::ConversationId,
    routing::{AgentPresence as Presence, Chosen, Handed, Pause, TakenBack, TransferTargets, Undisturbed},
};

const NOTE: &str = "Wants the blue kettle.";

pub async fn hand_to(desk: &Desk, id: ConversationId, to: &Desk) -> Result<Conversation, Problem> {
    let to = json!({ "type": "agent", "account": to.session.account.id });
    desk.post(
        &format!("/v1/conversations/{id}/transfer"),
        json!({ "to": to, "note": NOTE }),
    )
    .await
}

pub async fn hand_to_queue(desk: &Desk, id: ConversationId, queue: u32) -> Result<Conversation, Problem> {
    let to = json!({ "type": "queue", "queue": queue });
    desk.post(
        &format!("/v1/conversations/{id}/transfer"),
        json!({ "to": to, "note": NOTE }),
    )
    .await
}

impl Seat {
    pub async fn handed(&mut self) -> Handed {
        self.expect("what came of a transfer", |event| match event {
            AgentEvent::Handed(handed) => Some(handed),
            _ => None,
        })
        .await
    }

    pub async fn gone(&mut self) -> ConversationId {
        self.expect("a conversation that goes", |event| match event {
            AgentEvent::Gone { conversation } => Some(conversation),
            _ => None,
        })
        .await
    }

    async fn is(&mut self, wanted: Presence) {
        self.expect("a presence", |event| match event {
            AgentEvent::Presence(mine) => (mine.presence == wanted).then_some(()),
            _ => None,
        })
        .await;
    }
}

/// The agent's conversation, the colleague's desk, and both of them listening.
pub async fn two(world: &World) -> ((Desk, Seat), (Desk, Seat), Page, ConversationId) {
    let (agent, page, conversation) = world.active().await;
    let (first, _) = Seat::take(&agent, new_desk()).await;
    let second = untested(world, "colleague").await;
    ((agent, first), second, page, conversation.id)
}

#[tokio::test]
async fn a_colleague_is_asked_and_the_owner_keeps_the_customer_until_the_yes() {
    let world = World::start().await;
    let ((agent, mut first), (colleague, mut second), page, id) = two(&world).await;
    hand_to(&agent, id, &colleague).await.unwrap();
    let asked = second.asked().await;
    assert_eq!(asked.conversation, id);
    assert_eq!(
        (asked.from.as_deref(), asked.note.as_deref()),
        (Some("agent"), Some(NOTE))
    );
    assert!(!asked.customer_name.is_empty());
    // The colleague may read it before the answer, and only the owner writes.
    assert!(colleague.messages(id).await.iter().any(|m| m.body.text() == NOTE));
    let early = colleague.say(id, uuid::Uuid::new_v4(), "Hello").await.refused();
    assert_eq!(early.code, ErrorCode::NotYourConversation);
    agent.say(id, uuid::Uuid::new_v4(), "One moment").await.unwrap();

    let taken = accept(&colleague, id).await.unwrap();
    assert_eq!(taken.owner, Some(colleague.session.account.id));
    assert_eq!(taken.state, ConversationState::Active);
    let handed = first.handed().await;
    assert_eq!(
        (handed.conversation, handed.to.as_str(), handed.why_not),
        (id, "colleague", None)
    );
    assert_eq!(first.gone().await, id);
    assert_eq!(agent.conversation_refused(id).await, ErrorCode::NotYourConversation);
    let lines: Vec<Body> = colleague.messages(id).await.into_iter().map(|m| m.body).collect();
    assert!(lines.contains(&Body::Note { text: NOTE.into() }));
    assert!(lines.contains(&Body::Event {
        text: "colleague took over from agent".into(),
        line: Some(HistoryLine::TookOver {
            name: "colleague".into(),
            before: Some("agent".into()),
        }),
    }));
    // What colleagues write to each other never leaves for the customer.
    let seen: Vec<String> = page.history().await.into_iter().filter_map(|a| a.text).collect();
    assert!(!seen.iter().any(|text| text.contains("kettle")), "{seen:?}");
    assert!(seen.iter().any(|text| text == "colleague took over from agent"));
}

impl Desk {
    async fn conversation_refused(&self, id: ConversationId) -> ErrorCode {
        let read = self.get::<Conversation>(&format!("/v1/conversations/{id}")).await;
        read.refused().code
    }
}

#[tokio::test]
async fn a_no_leaves_it_with_the_owner_and_says_so() {
    let world = World::start().await;
    let ((agent, mut first), (colleague, mut second), _page, id) = two(&world).await;
    hand_to(&agent, id, &colleague).await.unwrap();
    second.asked().await;
    decline(&colleague, id).await;
    assert_eq!(second.taken_back().await.1, TakenBack::Declined);
    assert_eq!(first.handed().await.why_not, Some(TakenBack::Declined));
    assert_eq!(second.gone().await, id);
    assert_eq!(agent.conversation(id).await.owner, Some(agent.session.account.id));
    assert_eq!(colleague.conversation_refused(id).await, ErrorCode::NotYourConversation);
    // And asks nobody who has just said no.
    let again = hand_to(&agent, id, &colleague).await.refused();
    assert_eq!(again.code, ErrorCode::CannotTransfer);
    second.paused(Some(Pause::Declined)).await;
    second.say(AgentRequest::Presence {
        chosen: Chosen::Available,
    });
    second.is(Presence::Available).await;
    hand_to(&agent, id, &colleague).await.unwrap();
    second.asked().await;
}

#[tokio::test]
async fn presence_is_chosen_and_decides_who_can_be_asked() {
    let world = World::start().await;
    let ((agent, mut first), (colleague, mut second), _page, id) = two(&world).await;
    first.is(Presence::Busy).await;
    second.say(AgentRequest::Presence {
        chosen: Chosen::DoNotDisturb,
    });
    second
        .is(Presence::DoNotDisturb {
            why: Undisturbed::Chosen,
        })
        .await;
    let targets: TransferTargets = agent.get(&format!("/v1/conversations/{id}/targets")).await.unwrap();
    let found = targets.agents.iter().find(|a| a.name == "colleague").unwrap();
    assert_eq!(found.why_not.as_deref(), Some("Does not want to be disturbed."));
    assert!(!targets.agents.iter().any(|a| a.name == "agent"), "the owner has it");
    let refused = hand_to(&agent, id, &colleague).await.refused();
    assert_eq!(refused.code, ErrorCode::CannotTransfer);
    assert!(
        refused.message.starts_with("colleague cannot take it now."),
        "{}",
        refused.message
    );
    let none: TransferTargets = agent
        .get(&format!("/v1/conversations/{id}/targets?q=nobody"))
        .await
        .unwrap();
    assert!(none.agents.is_empty() && none.queues.is_empty());
    assert_eq!(
        colleague
            .get::<TransferTargets>(&format!("/v1/conversations/{id}/targets"))
            .await
            .refused()
            .code,
        ErrorCode::NotYourConversation
    );
}

#[tokio::test]
async fn a_queue_takes_it_and_its_agents_are_asked_with_the_note_also_after_a_restart() {
    let file = r#"
        [queues.default]
        title = "Support"
        [queues.billing]
        title = "Billing"
        mode = "push"
        [agents."colleague@example.test"]
        queues = ["billing"]
        [agents."agent@example.test"]
        queues = ["default"]
    "#;
    let mut world = World::with(|config| config.deployment = Deployment::parse(file).unwrap()).await;
    let (agent, _page, conversation) = world.active().await;
    let id = conversation.id;
    assert_eq!(conversation.queue.as_deref(), Some("Support"));
    let targets: TransferTargets = agent.get(&format!("/v1/conversations/{id}/targets")).await.unwrap();
    let billing = targets.queues.iter().find(|queue| queue.title == "Billing").unwrap();
    assert!(billing.open && !billing.staffed);
    assert_eq!(
        hand_to_queue(&agent, id, 4711).await.refused().code,
        ErrorCode::UnknownTarget
    );
    let (mut first, _) = Seat::take(&agent, new_desk()).await;
    let waiting = hand_to_queue(&agent, id, billing.queue).await.unwrap();
    assert_eq!((waiting.state, waiting.owner), (ConversationState::Open, None));
    assert_eq!(first.gone().await, id);
    world.restart().await;
    let (colleague, mut second) = untested(&world, "colleague").await;
    let asked = second.asked().await;
    assert_eq!((asked.conversation, asked.note.as_deref()), (id, Some(NOTE)));
    let taken = accept(&colleague, id).await.unwrap();
    assert_eq!(taken.queue.as_deref(), Some("Billing"));
}
