//! Supervisors: the live wall, and what they do in others' conversations.

use crate::{
    harness::{Answer, Desk, Page, World, browser},
    ready_desk::{Seat, new_desk},
};
use serde_json::{Value, json};
use sightline_call::routing::Queue;
use sightline_server::RoutingMode;
use sightline_wire::{
    ErrorCode,
    agent::{AgentEvent, AgentRequest},
    audit::{AuditAct, AuditCheck, AuditPage},
    conversation::{Author, Body, Conversation, ConversationState},
    ids::ConversationId,
    wall::{
        AssignAnswer, InterventionAct, ServiceLevel, WallAgent, WallCallState, WallConversation, WallNews,
        WallPresence, WallQueue,
    },
};
use std::collections::BTreeMap;
use uuid::Uuid;

/// What a supervisor knows who listens.
#[derive(Default)]
struct Wall {
    queues: BTreeMap<u32, WallQueue>,
    agents: BTreeMap<String, WallAgent>,
    conversations: BTreeMap<ConversationId, WallConversation>,
}

impl Wall {
    fn hear(&mut self, news: WallNews) {
        if news.begins {
            *self = Self::default();
        }
        self.queues.extend(news.queues.into_iter().map(|row| (row.queue, row)));
        self.agents
            .extend(news.agents.into_iter().map(|row| (row.name.clone(), row)));
        self.conversations
            .extend(news.conversations.into_iter().map(|row| (row.id, row)));
        self.agents.retain(|_, row| !news.gone_agents.contains(&row.agent));
        self.conversations.retain(|id, _| !news.gone.contains(id));
    }
}

/// A supervisor's desk with the wall open.
struct Watching {
    desk: Desk,
    seat: Seat,
    wall: Wall,
}

impl Watching {
    async fn at(world: &World) -> Self {
        let desk = world.desk("supervisor").await;
        let (seat, _) = Seat::take(&desk, new_desk()).await;
        seat.say(AgentRequest::WatchWall { open: true });
        Self {
            desk,
            seat,
            wall: Wall::default(),
        }
    }

    /// Listens until the wall is like that.
    async fn until(&mut self, what: &str, like: impl Fn(&Wall) -> bool) -> &Wall {
        while !like(&self.wall) {
            let news = self.seat.expect(what, |event| match event {
                AgentEvent::Wall(news) => Some(news),
                _ => None,
            });
            let news = news.await;
            self.wall.hear(news);
        }
        &self.wall
    }

    async fn act<T: serde::de::DeserializeOwned>(
        &self,
        id: ConversationId,
        act: &str,
        body: Value,
    ) -> Result<T, sightline_wire::Problem> {
        self.desk.post(&format!("/v1/conversations/{id}/{act}"), body).await
    }

    /// What the audit log says, the oldest first, without who.
    async fn acts(&self) -> Vec<AuditAct> {
        let page: AuditPage = self.desk.get("/v1/audit").await.unwrap();
        page.entries.iter().rev().map(|entry| entry.act).collect()
    }
}

async fn waiting(world: &World) -> (Page, ConversationId) {
    let page = world.api.page().await;
    page.say("Hello").await;
    let (_socket, inbox) = world.desk("colleague").await.listen().await;
    let open = inbox.iter().rfind(|c| c.state == ConversationState::Open);
    (page, open.unwrap().id)
}

fn lines(page: &[sightline_wire::directline::Activity]) -> Vec<&str> {
    page.iter().filter_map(|activity| activity.text.as_deref()).collect()
}

async fn seated(world: &World, name: &str) -> (Desk, Seat) {
    let desk = world.desk(name).await;
    let (seat, _) = Seat::take(&desk, new_desk()).await;
    (desk, seat)
}

#[tokio::test]
async fn the_wall_shows_all_of_it_and_then_what_changes() {
    let world = World::start().await;
    let mut watching = Watching::at(&world).await;
    let wall = watching.until("an empty wall", |wall| wall.queues.len() == 1).await;
    assert!(wall.conversations.is_empty());
    let names: Vec<&String> = wall.agents.keys().collect();
    assert_eq!(names, ["agent", "colleague"], "supervisors have no work of their own");
    assert!(wall.agents.values().all(|row| row.presence == WallPresence::Offline));

    let (desk, _seat) = seated(&world, "agent").await;
    watching
        .until("the agent", |wall| {
            wall.agents["agent"].presence == WallPresence::Available
        })
        .await;
    let page = world.api.page().await;
    page.say("Hello").await;
    let wall = watching.until("who waits", |wall| wall.queues[&1].waiting == 1).await;
    let id = *wall.conversations.keys().next().unwrap();
    assert_eq!(wall.queues[&1].oldest, Some(wall.conversations[&id].opened_at));
    assert_eq!(wall.queues[&1].hour, ServiceLevel::default(), "20 seconds are not over");

    let _: Conversation = desk
        .post(&format!("/v1/conversations/{id}/accept"), json!({}))
        .await
        .unwrap();
    let wall = watching
        .until("who is answered", |wall| wall.agents["agent"].conversations == 1)
        .await;
    assert_eq!(wall.agents["agent"].presence, WallPresence::Busy);
    let row = &wall.conversations[&id];
    assert_eq!(
        (row.state, row.owner_name.as_deref()),
        (ConversationState::Active, Some("agent"))
    );
    let queue = &wall.queues[&1];
    assert_eq!((queue.waiting, queue.oldest, queue.active), (0, None, 1));
    assert_eq!(queue.hour, ServiceLevel { in_time: 1, of: 1 });
    assert_eq!(queue.day, queue.hour);

    let started = desk.start_video(id, Uuid::new_v4()).await.ok().unwrap();
    let wall = watching
        .until("the invite", |wall| wall.conversations[&id].call.is_some())
        .await;
    let call = wall.conversations[&id].call.as_ref().unwrap();
    assert_eq!(call.state, WallCallState::Invited);
    assert_eq!(wall.agents["agent"].call, Some(id));
    assert_eq!(wall.agents["agent"].presence, WallPresence::InCall);
    let code = started.escalation.url.rsplit('/').next().unwrap().to_string();
    world.api.redeem(&code, &browser()).await.ok().unwrap();
    watching
        .until("the customer", |wall| {
            let call = wall.conversations[&id].call.as_ref();
            call.is_some_and(|call| call.state == WallCallState::Joining)
        })
        .await;
    let moment = json!({
        "at": 1, "worst": "poor", "reason": "The customer's network is weak.",
        "quality": serde_json::to_value(sightline_wire::device::Quality::default()).unwrap(),
    });
    let path = format!("/v1/escalations/{}/stats", started.escalation.id);
    let (): () = desk.post(&path, json!({ "moments": [moment] })).await.unwrap();
    watching
        .until("the mark", |wall| {
            let call = wall.conversations[&id].call.as_ref();
            call.is_some_and(|call| call.reason == "The customer's network is weak.")
        })
        .await;

    let wrap_up = format!("/v1/conversations/{id}/wrap-up");
    let _: Conversation = desk.post(&wrap_up, json!({ "end_call": true })).await.unwrap();
    watching
        .until("wrap-up", |wall| {
            let row = &wall.conversations[&id];
            row.state == ConversationState::WrapUp && row.call.is_none()
        })
        .await;
    let close = format!("/v1/conversations/{id}/close");
    let _: Conversation = desk.post(&close, json!({ "disposition": "done" })).await.unwrap();
    watching.until("the end", |wall| wall.conversations.is_empty()).await;
}

#[tokio::test]
async fn the_wall_is_for_supervisors_and_tells_nothing_once_it_is_closed() {
    let world = World::start().await;
    let (agent, mut seat) = seated(&world, "agent").await;
    seat.say(AgentRequest::WatchWall { open: true });
    assert_eq!(seat.problem().await, ErrorCode::NotAllowed);
    let (_page, id) = waiting(&world).await;
    for (act, body) in [
        ("join", json!({})),
        ("leave", json!({})),
        ("assign", json!({ "agent": agent.session.account.id })),
        ("force-close", json!({ "notice": "Sorry" })),
    ] {
        let refused = agent
            .post::<Value>(&format!("/v1/conversations/{id}/{act}"), body)
            .await;
        assert_eq!(refused.refused().code, ErrorCode::NotAllowed, "{act}");
    }
    for path in ["/v1/audit", "/v1/audit/check"] {
        assert_eq!(agent.get::<Value>(path).await.refused().code, ErrorCode::NotAllowed);
    }

    let mut watching = Watching::at(&world).await;
    watching
        .until("the wall", |wall| wall.conversations.contains_key(&id))
        .await;
    watching.seat.say(AgentRequest::WatchWall { open: false });
    // Frames of one socket are heard in order: when this one is answered, the wall is closed.
    watching.seat.say(AgentRequest::Narrow {
        why: sightline_wire::readiness::Narrowing::Expired,
    });
    assert_eq!(watching.seat.problem().await, ErrorCode::BadRequest);
    let accept = format!("/v1/conversations/{id}/accept");
    let _: Conversation = agent.post(&accept, json!({})).await.unwrap();
    watching.seat.say(AgentRequest::WatchWall { open: true });
    let first = watching.seat.expect("the wall anew", |event| match event {
        AgentEvent::Wall(news) => Some(news),
        _ => None,
    });
    let first = first.await;
    assert!(first.begins, "nothing came in between");
    assert_eq!(first.conversations[0].state, ConversationState::Active);
}

#[tokio::test]
async fn a_supervisor_joins_is_seen_writes_and_leaves() {
    let world = World::start().await;
    let (agent, page, conversation) = world.active().await;
    let id = conversation.id;
    let watching = Watching::at(&world).await;
    let boss = watching.desk.session.account.id;

    let uninvited = watching.desk.say(id, Uuid::new_v4(), "Hello").await.refused();
    assert_eq!(uninvited.code, ErrorCode::NotYourConversation);
    let joined: Conversation = watching.act(id, "join", json!({})).await.unwrap();
    assert_eq!(joined.participants.len(), 1);
    assert_eq!(
        (joined.participants[0].account, joined.owner),
        (boss, conversation.owner)
    );
    let again: Conversation = watching.act(id, "join", json!({})).await.unwrap();
    assert_eq!(again.last_seq, joined.last_seq, "once is enough");
    watching.desk.say(id, Uuid::new_v4(), "I can help").await.unwrap();
    assert_eq!(agent.conversation(id).await.participants, joined.participants);
    let told = page.history().await;
    assert_eq!(
        lines(&told),
        ["Hello", "supervisor joined the conversation", "I can help"]
    );
    assert_eq!(told[2].from.name.as_deref(), Some("supervisor"));

    let left: Conversation = watching.act(id, "leave", json!({})).await.unwrap();
    assert!(left.participants.is_empty());
    let refused = watching.desk.say(id, Uuid::new_v4(), "One more").await.refused();
    assert_eq!(refused.code, ErrorCode::NotYourConversation);
    assert_eq!(watching.acts().await, [AuditAct::Joined, AuditAct::Left]);

    // Nobody takes part in what the customer has left.
    let _: Conversation = watching.act(id, "join", json!({})).await.unwrap();
    agent.wrap_up_and_close(id).await;
    let late = watching.act::<Value>(id, "join", json!({})).await.refused();
    assert_eq!(late.code, ErrorCode::ConversationClosed);
    assert!(watching.desk.conversation(id).await.participants.is_empty());
}

#[tokio::test]
async fn reading_a_colleagues_conversation_is_written_down_once_an_hour() {
    let world = World::start().await;
    let (agent, _page, conversation) = world.active().await;
    let id = conversation.id;
    let (_other, open) = waiting(&world).await;
    let watching = Watching::at(&world).await;
    watching.desk.conversation(open).await;
    assert!(watching.acts().await.is_empty(), "who waits is everybody's");
    for _ in 0..3 {
        watching.desk.conversation(id).await;
        assert!(!watching.desk.messages(id).await.is_empty());
    }
    agent.messages(id).await;
    let page: AuditPage = watching.desk.get("/v1/audit").await.unwrap();
    assert_eq!(page.entries.len(), 1, "{:?}", page.entries);
    let entry = &page.entries[0];
    assert_eq!((entry.act, entry.conversation), (AuditAct::Read, Some(id)));
    assert_eq!(
        (entry.actor, entry.agent),
        (watching.desk.session.account.id, conversation.owner)
    );
    assert_eq!(entry.actor_name, "supervisor");
}

#[tokio::test]
async fn assigned_where_agents_choose_it_is_theirs_at_once() {
    let world = World::start().await;
    let (page, id) = waiting(&world).await;
    let watching = Watching::at(&world).await;
    let agent = world.desk("agent").await;
    let choice = json!({ "agent": agent.session.account.id });
    let absent = watching.act::<Value>(id, "assign", choice.clone()).await.refused();
    assert_eq!(absent.code, ErrorCode::DeskNotConnected);
    let nobody = watching
        .act::<Value>(id, "assign", json!({ "agent": Uuid::new_v4() }))
        .await;
    assert_eq!(nobody.refused().code, ErrorCode::NotFound);

    let (mut seat, _) = Seat::take(&agent, new_desk()).await;
    let answer: AssignAnswer = watching.act(id, "assign", choice.clone()).await.unwrap();
    assert_eq!(answer.conversation.owner, Some(agent.session.account.id));
    assert_eq!((answer.over_units, answer.over_conversations), (0, 0));
    let because = answer.conversation.because.as_deref();
    assert_eq!(because, Some("supervisor chose this agent."));
    let told = seat.expect("the news", |event| match event {
        AgentEvent::Intervened(told) => Some(told),
        _ => None,
    });
    let told = told.await;
    assert_eq!(
        (told.conversation, told.by.as_str(), told.act),
        (id, "supervisor", InterventionAct::Assigned)
    );
    assert!(lines(&page.history().await).contains(&"supervisor assigned the conversation to agent"));
    let again: AssignAnswer = watching.act(id, "assign", choice).await.unwrap();
    assert_eq!(again.conversation.last_seq, answer.conversation.last_seq);
    let other = json!({ "agent": world.desk("colleague").await.session.account.id });
    let late = watching.act::<Value>(id, "assign", other).await.refused();
    assert_eq!(late.code, ErrorCode::AlreadyAccepted);
    assert_eq!(watching.acts().await, [AuditAct::Assigned]);
}

#[tokio::test]
async fn assigned_by_turn_the_agent_is_asked_even_with_too_much_to_do() {
    let world = World::with(|config| {
        config.routing = RoutingMode::Push(Queue {
            assignment_ms: 60_000,
            ..Queue::default()
        });
    })
    .await;
    let (agent, mut seat) = seated(&world, "agent").await;
    let mut pages = Vec::new();
    // Three chats are as much as there is room for.
    for _ in 0..3 {
        let page = world.api.page().await;
        page.say("Hello").await;
        pages.push(page);
        let id = asked(&mut seat).await;
        let _: Conversation = agent
            .post(&format!("/v1/conversations/{id}/accept"), json!({}))
            .await
            .unwrap();
    }
    let page = world.api.page().await;
    page.say("Hello").await;
    let mut watching = Watching::at(&world).await;
    let wall = watching
        .until("a full agent", |wall| {
            wall.agents.contains_key("agent") && wall.queues.get(&1).is_some_and(|queue| queue.waiting == 1)
        })
        .await;
    let row = &wall.agents["agent"];
    let load = row.load.unwrap();
    assert_eq!((load.units, load.capacity, row.conversations), (90, 100, 3));
    let queue = &wall.queues[&1];
    assert_eq!(
        (queue.active, queue.here, queue.free),
        (3, 1, 0),
        "ten units are no room"
    );
    let id = wall
        .conversations
        .values()
        .find(|row| row.state == ConversationState::Open)
        .unwrap()
        .id;

    let choice = |even_if_full| json!({ "agent": agent.session.account.id, "even_if_full": even_if_full });
    let full = watching.act::<Value>(id, "assign", choice(false)).await.refused();
    assert_eq!(full.code, ErrorCode::AgentFull);
    assert_eq!(full.message, "agent would have 120 of 100 units: 20 too many.");
    assert!(watching.acts().await.is_empty(), "what was refused did not happen");
    let answer: AssignAnswer = watching.act(id, "assign", choice(true)).await.unwrap();
    assert_eq!((answer.over_units, answer.conversation.owner), (20, None));
    assert_eq!(asked(&mut seat).await, id);
    let again: AssignAnswer = watching.act(id, "assign", choice(true)).await.unwrap();
    assert_eq!(
        again.conversation.last_seq, answer.conversation.last_seq,
        "asked is asked"
    );
    watching
        .until("who is asked", |wall| {
            wall.conversations[&id].asked_name.as_deref() == Some("agent")
        })
        .await;
    let page: AuditPage = watching.desk.get("/v1/audit").await.unwrap();
    assert_eq!((page.entries.len(), page.entries[0].detail.over_units), (1, Some(20)));
    let _: Conversation = agent
        .post(&format!("/v1/conversations/{id}/accept"), json!({}))
        .await
        .unwrap();
    watching
        .until("what is too much", |wall| {
            wall.agents["agent"].load.is_some_and(|load| load.units == 120)
        })
        .await;
}

async fn asked(seat: &mut Seat) -> ConversationId {
    let asked = seat.expect("an assignment", |event| match event {
        AgentEvent::Assigned(assignment) => Some(assignment.conversation),
        _ => None,
    });
    asked.await
}

#[tokio::test]
async fn a_forced_end_says_why_and_ends_a_call_by_choice_only() {
    let world = World::start().await;
    let (agent, page, conversation) = world.active().await;
    let id = conversation.id;
    let started = agent.start_video(id, Uuid::new_v4()).await.ok().unwrap();
    let code = started.escalation.url.rsplit('/').next().unwrap().to_string();
    world.api.redeem(&code, &browser()).await.ok().unwrap();
    let mut room = world.api.room(&started.room_token, None).await;
    let (mut seat, _) = Seat::take(&agent, new_desk()).await;
    let watching = Watching::at(&world).await;

    for (notice, code) in [
        ("  ", ErrorCode::EmptyMessage),
        ("n".repeat(501).as_str(), ErrorCode::MessageTooLong),
        ("We have to stop here.", ErrorCode::CallLive),
    ] {
        let body = json!({ "notice": notice });
        let refused = watching.act::<Value>(id, "force-close", body).await.refused();
        assert_eq!(refused.code, code);
    }
    let body = json!({ "notice": " We have to stop here. ", "end_call": true });
    let closed: Conversation = watching.act(id, "force-close", body.clone()).await.unwrap();
    assert_eq!(closed.state, ConversationState::Closed);
    assert_eq!(closed.disposition.as_deref(), Some("Closed by a supervisor"));
    let told = seat.expect("the news", |event| match event {
        AgentEvent::Intervened(told) => Some(told),
        _ => None,
    });
    let notice = "We have to stop here.".to_string();
    assert_eq!(told.await.act, InterventionAct::Closed { notice: notice.clone() });
    room.room_event("the end of the call", |event| match event {
        sightline_wire::room::RoomEvent::Ended { .. } => Some(()),
        _ => None,
    })
    .await;
    let messages = agent.messages(id).await;
    let said = &messages[messages.len() - 2];
    assert_eq!(said.body, Body::Text { text: notice.clone() });
    assert!(matches!(&said.author, Author::Agent { name, .. } if name == "supervisor"));
    let history = page.history().await;
    let seen = lines(&history);
    assert_eq!(
        seen[seen.len() - 2..],
        [notice.as_str(), "supervisor closed the conversation"]
    );
    let again: Conversation = watching.act(id, "force-close", body).await.unwrap();
    assert_eq!(again.last_seq, closed.last_seq);

    let log: AuditPage = watching.desk.get("/v1/audit").await.unwrap();
    assert_eq!(log.entries.len(), 1);
    assert_eq!(log.entries[0].act, AuditAct::ForceClosed);
    assert_eq!(log.entries[0].escalation, Some(started.escalation.id));
    assert_eq!(log.entries[0].detail.ended_call, Some(true));
    // The next word of the customer is a new conversation.
    page.say("Why?").await;
    let (_socket, inbox) = agent.listen().await;
    assert!(inbox.iter().any(|c| c.id != id && c.state == ConversationState::Open));
}

#[tokio::test]
async fn a_conversation_that_waits_can_be_closed_too() {
    let world = World::start().await;
    let (page, id) = waiting(&world).await;
    let watching = Watching::at(&world).await;
    let body = json!({ "notice": "We are closed today." });
    let closed: Conversation = watching.act(id, "force-close", body).await.unwrap();
    assert_eq!((closed.state, closed.owner), (ConversationState::Closed, None));
    assert!(lines(&page.history().await).contains(&"We are closed today."));
}

#[tokio::test]
async fn nobody_supervises_their_own_conversation() {
    let world = World::start().await;
    let (_page, id) = waiting(&world).await;
    let watching = Watching::at(&world).await;
    let accept = format!("/v1/conversations/{id}/accept");
    let _: Conversation = watching.desk.post(&accept, json!({})).await.unwrap();
    let other = world.desk("agent").await.session.account.id;
    for (act, body) in [
        ("join", json!({})),
        ("assign", json!({ "agent": other })),
        ("force-close", json!({ "notice": "Sorry" })),
    ] {
        let refused = watching.act::<Value>(id, act, body).await.refused();
        assert_eq!(refused.code, ErrorCode::OwnConversation, "{act}");
    }
    watching.desk.messages(id).await;
    assert!(watching.acts().await.is_empty());
}

#[tokio::test]
async fn the_log_is_paged_outlives_a_restart_and_can_be_checked() {
    let mut world = World::start().await;
    let (_agent, _page, conversation) = world.active().await;
    {
        let watching = Watching::at(&world).await;
        for act in ["join", "leave", "join"] {
            let _: Conversation = watching.act(conversation.id, act, json!({})).await.unwrap();
        }
    }
    world.restart().await;
    let desk = world.desk("supervisor").await;
    let stored = desk.conversation(conversation.id).await;
    assert_eq!(stored.participants.len(), 1, "who had joined takes part still");
    let first: AuditPage = desk.get("/v1/audit?limit=2").await.unwrap();
    assert_eq!(first.entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [3, 2]);
    assert!(first.more);
    let newest = &first.entries[0];
    assert_eq!(newest.customer_name.as_deref(), Some("Customer 1"), "by today's names");
    assert_eq!(newest.agent_name.as_deref(), Some("agent"));
    let rest: AuditPage = desk.get("/v1/audit?limit=2&before=2").await.unwrap();
    assert_eq!(
        rest.entries.iter().map(|entry| entry.act).collect::<Vec<_>>(),
        [AuditAct::Joined]
    );
    assert!(!rest.more);
    let checked: AuditCheck = desk.get("/v1/audit/check").await.unwrap();
    assert_eq!((checked.intact, checked.broken_at), (3, None));
    assert_eq!(checked.head, first.entries[0].hash);
    let forged = format!("/v1/audit/check?seq=9&hash={}", checked.head);
    let missed: AuditCheck = desk.get(&forged).await.unwrap();
    assert_eq!(missed.broken_at, Some(4));
    let odd = desk.get::<Value>("/v1/audit?before=x").await.refused();
    assert_eq!(odd.code, ErrorCode::BadRequest);
}
