//! Conversations that are assigned, as the window meets them.

use crate::harness::{Customer, Folder, MemoryStore, TestDesk, Window, World};
use sightline_call::routing::Queue;
use sightline_server::{NewAccount, RoutingMode, Secret, ServerConfig};
use sightline_wire::{
    account::Role,
    conversation::ConversationState,
    desk::{AssignmentView, DeskCommand},
    ids::ConversationId,
    routing::{AgentPresence, Chosen, Pause, TakenBack, TransferTo, Undisturbed},
};

const COLLEAGUE: &str = "colleague@example.test";

fn pushing(config: &mut ServerConfig) {
    config.routing = RoutingMode::Push(Queue::default());
    config.first_accounts.push(NewAccount {
        email: COLLEAGUE.into(),
        name: "Jonas".into(),
        role: Role::Agent,
        password: Some(Secret::new(PASSWORD)),
    });
}

/// Of an account that lives as long as the test.
const PASSWORD: &str = "jonas in this test";

async fn colleague(world: &World) -> TestDesk {
    let mut desk = TestDesk::start(&world.url, Folder::new(), MemoryStore::default().keyring());
    desk.sign_in_as(COLLEAGUE, PASSWORD).await.unwrap();
    desk.online().await;
    desk
}

async fn customer(world: &World, name: &str) -> Customer {
    let customer = world.customer(name).await;
    customer.say("Hello").await;
    customer
}

async fn asked(desk: &mut TestDesk, name: &str) -> ConversationId {
    desk.until("an assignment", |w| match w.assignment.as_ref()? {
        AssignmentView::Asked {
            conversation,
            customer_name,
            ..
        } => (customer_name == name).then_some(*conversation),
        AssignmentView::TakenBack { .. } => None,
    })
    .await
}

fn taken_back(window: &Window) -> Option<(TakenBack, bool)> {
    match window.assignment.as_ref()? {
        AssignmentView::TakenBack { why, elsewhere, .. } => Some((*why, *elsewhere)),
        AssignmentView::Asked { .. } => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assignment_is_shown_said_once_and_accepted() {
    let world = World::with(pushing).await;
    let mut desk = world.desk().await;
    let _customer = customer(&world, "Ana").await;
    let id = asked(&mut desk, "Ana").await;
    match desk.window.assignment.clone().unwrap() {
        AssignmentView::Asked {
            video,
            asked_ms,
            because,
            ..
        } => {
            assert_eq!((video, asked_ms), (false, Queue::default().assignment_ms));
            assert_eq!(because, "Nobody else could take it.");
        }
        AssignmentView::TakenBack { .. } => unreachable!("it is asked"),
    }
    // That somebody waits is not said besides.
    let told = desk.told.notifications.lock().unwrap().clone();
    assert_eq!(
        told,
        [("Ana".into(), "Wants to reach you by chat. Accept within 20 s.".into())]
    );
    desk.command(DeskCommand::Accept { conversation: id }).await.unwrap();
    desk.until("the conversation, and no question any more", |w| {
        (w.conversations[&id].state == ConversationState::Active && w.assignment.is_none()).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_declined_goes_to_the_colleague_until_the_agent_is_back() {
    let world = World::with(pushing).await;
    let mut desk = world.desk().await;
    let mut other = colleague(&world).await;
    let _customer = customer(&world, "Ana").await;
    let id = asked(&mut desk, "Ana").await;
    desk.command(DeskCommand::Decline { conversation: id }).await.unwrap();
    desk.until("no question any more, and why", |w| {
        (w.assignment.is_none() && w.paused == Some(Pause::Declined)).then_some(())
    })
    .await;
    assert_eq!(asked(&mut other, "Ana").await, id);
    other.command(DeskCommand::Accept { conversation: id }).await.unwrap();
    other
        .until("the conversation", |w| w.assignment.is_none().then_some(()))
        .await;

    desk.command(DeskCommand::BackAgain).await.unwrap();
    desk.until("no pause any more", |w| w.paused.is_none().then_some(()))
        .await;
    let _next = customer(&world, "Luis").await;
    // Who comes back stands behind those who have been there.
    let next = asked(&mut other, "Luis").await;
    other
        .command(DeskCommand::Decline { conversation: next })
        .await
        .unwrap();
    asked(&mut desk, "Luis").await;
    // A page that loads again knows as much.
    desk.window.assignment = None;
    desk.command(DeskCommand::Attach).await.unwrap();
    asked(&mut desk, "Luis").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_without_its_server_is_asked_nothing_and_asked_again_when_it_is_back() {
    let mut world = World::with(pushing).await;
    let mut desk = world.desk().await;
    let _customer = customer(&world, "Ana").await;
    let id = asked(&mut desk, "Ana").await;
    world.stop().await;
    let why = desk.until("why it is gone", taken_back).await;
    assert_eq!(why, (TakenBack::Disconnected, false));
    world.go_on().await;
    desk.online().await;
    assert_eq!(asked(&mut desk, "Ana").await, id);
}

/// Two agents who take conversations themselves; one of them has a customer.
#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_is_handed_over_and_both_windows_follow() {
    let world = World::with(|config| {
        pushing(config);
        config.routing = RoutingMode::Pull;
    })
    .await;
    let (mut desk, _customer, id) = world.chatting().await;
    let mut other = colleague(&world).await;
    desk.command(DeskCommand::FindTargets {
        conversation: id,
        search: "jon".into(),
    })
    .await
    .unwrap();
    let found = desk
        .until("the colleague", |w| w.targets.as_ref()?.agents.first().cloned())
        .await;
    assert_eq!((found.name.as_str(), found.why_not), ("Jonas", None));
    let hand = DeskCommand::Transfer {
        conversation: id,
        to: TransferTo::Agent { account: found.account },
        note: "Would rather show it.".into(),
    };
    desk.command(hand.clone()).await.unwrap();
    assert_eq!(asked(&mut other, "Ana").await, id);
    let view = other.window.assignment.clone().unwrap();
    assert!(
        matches!(&view, AssignmentView::Asked { from: Some(from), note: Some(note), .. }
            if from == "Maria" && note == "Would rather show it."),
        "{view:?}"
    );
    other
        .until("the conversation itself", |w| w.conversations.get(&id).map(drop))
        .await;
    other.command(DeskCommand::Accept { conversation: id }).await.unwrap();
    let handed = desk.until("the yes", |w| w.handed.first().cloned()).await;
    assert_eq!((handed.to.as_str(), handed.why_not), ("Jonas", None));
    desk.until("an inbox without it", |w| {
        (!w.conversations.contains_key(&id)).then_some(())
    })
    .await;
    // Nobody is asked who does not want to be disturbed, and the refusal says so.
    desk.command(DeskCommand::ChoosePresence {
        chosen: Chosen::DoNotDisturb,
    })
    .await
    .unwrap();
    desk.until("the presence", |w| {
        let chosen = AgentPresence::DoNotDisturb {
            why: Undisturbed::Chosen,
        };
        (w.presence?.presence == chosen).then_some(())
    })
    .await;
    let back = DeskCommand::FindTargets {
        conversation: id,
        search: String::new(),
    };
    other.command(back).await.unwrap();
    let refused = other
        .until("the one who is not to be disturbed", |w| {
            let agents = &w.targets.as_ref()?.agents;
            agents.iter().find(|agent| agent.name == "Maria")?.why_not.clone()
        })
        .await;
    assert_eq!(refused, "Does not want to be disturbed.");
}
