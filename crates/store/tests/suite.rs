//! The repositories against a real database file.

use sightline_call::{
    readiness::lease::LeaseState,
    routing::{Agent, Pause, Profile},
};
use sightline_store::{
    Store, StoreError, Writing,
    accounts::{self, StoredAccount},
    conversations::{self, NewConversation},
    escalations::{self, NewEscalation},
    messages::{self, ClientKey, NewMessage},
    origins::{self, NewOrigin, Previous},
    outbox,
    readiness::{self, StoredLease},
    rooms::{self, Pass, StoredRoom},
    routing, self_tests,
    threads::{self, Thread},
};
use sightline_wire::{
    account::{Account, Role},
    conversation::{Author, Body, Channel, ContextValue, ConversationState},
    escalation::{EndReason, EscalationState},
    ids::{AccountId, ClientMessageId, CommandId, ConversationId, DeskId, EscalationId, ReportId, RoomId},
    link::PreviousConversation,
    readiness::{Extent, Readiness, Report},
    room::{Offer, Party},
};
use std::path::PathBuf;
use uuid::Uuid;

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("sightline-store-{}", Uuid::new_v4()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    async fn open(&self) -> Store {
        Store::open(&self.0.join("sightline.db")).await.unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn agent(writing: &mut Writing) -> AccountId {
    let account = Account {
        id: AccountId(Uuid::new_v4()),
        email: format!("{}@example.test", Uuid::new_v4()),
        name: "Ada".into(),
        role: Role::Agent,
    };
    let id = account.id;
    let stored = StoredAccount {
        account,
        password_hash: "not a hash".into(),
    };
    accounts::insert(writing.conn(), &stored, 1).await.unwrap();
    id
}

async fn conversation(writing: &mut Writing, thread: Option<String>) -> ConversationId {
    let id = ConversationId(Uuid::new_v4());
    let context = [("plan".to_string(), ContextValue::Text("gold".into()))].into();
    let new = NewConversation {
        id,
        channel: Channel::WebChat,
        thread,
        customer_name: String::new(),
        context,
    };
    conversations::open(writing.conn(), &new, 1).await.unwrap();
    id
}

async fn thread(writing: &mut Writing) -> String {
    let id = Uuid::new_v4().simple().to_string();
    let thread = Thread {
        origin: threads::Origin::Page,
        id: id.clone(),
        user_id: String::new(),
        user_name: String::new(),
        context: Default::default(),
        conversation: None,
        last_seq: 0,
    };
    threads::insert(writing.conn(), &thread, 1).await.unwrap();
    id
}

fn text(conversation: ConversationId, text: &str, client_key: Option<ClientKey>) -> NewMessage {
    NewMessage {
        conversation,
        author: Author::Customer,
        body: Body::Text { text: text.into() },
        client_key,
        at: 2,
    }
}

fn call(conversation: ConversationId, agent: AccountId) -> NewEscalation {
    NewEscalation {
        id: EscalationId(Uuid::new_v4()),
        conversation,
        agent,
        command: CommandId(Uuid::new_v4()),
        room: RoomId(Uuid::new_v4()),
        code: Uuid::new_v4().simple().to_string(),
        expires_at: 100,
    }
}

#[tokio::test]
async fn what_is_committed_is_there_after_reopening_and_the_rest_is_not() {
    let folder = Folder::new();
    let store = folder.open().await;
    let mut writing = store.write().await.unwrap();
    let kept = conversation(&mut writing, None).await;
    drop(writing.commit().await.unwrap());
    let mut writing = store.write().await.unwrap();
    let dropped = conversation(&mut writing, None).await;
    drop(writing);
    store.close().await;
    // The migrations run again and find nothing to do.
    let store = folder.open().await;
    let mut c = store.read().await.unwrap();
    let stored = conversations::get(&mut c, kept).await.unwrap().unwrap();
    assert_eq!(stored.customer_name, "Customer 1");
    assert_eq!(stored.context["plan"], ContextValue::Text("gold".into()));
    assert!(conversations::get(&mut c, dropped).await.unwrap().is_none());
}

#[tokio::test]
async fn numbers_have_no_gaps_in_the_conversation_and_in_the_thread() {
    let folder = Folder::new();
    let store = folder.open().await;
    let mut writing = store.write().await.unwrap();
    let thread = thread(&mut writing).await;
    let first = conversation(&mut writing, Some(thread.clone())).await;
    let second = conversation(&mut writing, Some(thread.clone())).await;
    drop(writing.commit().await.unwrap());
    for (conversation, seq, thread_seq) in [(first, 1, 1), (first, 2, 2), (second, 1, 3), (first, 3, 4)] {
        // One that is undone leaves no hole.
        let mut undone = store.write().await.unwrap();
        messages::append(undone.conn(), text(conversation, "undone", None))
            .await
            .unwrap();
        drop(undone);
        let mut writing = store.write().await.unwrap();
        let stored = messages::append(writing.conn(), text(conversation, "kept", None))
            .await
            .unwrap();
        assert_eq!((stored.message.seq, stored.thread_seq), (seq, Some(thread_seq)));
        drop(writing.commit().await.unwrap());
    }
    let mut c = store.read().await.unwrap();
    let all = messages::of_thread_after(&mut c, &thread, 1, 10).await.unwrap();
    assert_eq!(all.iter().map(|m| m.thread_seq.unwrap()).collect::<Vec<_>>(), [2, 3, 4]);
}

#[tokio::test]
async fn a_client_key_is_unique_where_it_belongs() {
    let folder = Folder::new();
    let store = folder.open().await;
    let mut writing = store.write().await.unwrap();
    let thread = thread(&mut writing).await;
    let first = conversation(&mut writing, Some(thread.clone())).await;
    let second = conversation(&mut writing, Some(thread.clone())).await;
    let c = writing.conn();
    let desk = ClientKey::Desk(ClientMessageId(Uuid::new_v4()));
    let stored = messages::append(c, text(first, "hello", Some(desk.clone())))
        .await
        .unwrap();
    let found = messages::by_client_key(c, first, &desk).await.unwrap().unwrap();
    assert_eq!(found.message, stored.message);
    assert!(messages::by_client_key(c, second, &desk).await.unwrap().is_none());
    // A page's key holds in the whole thread, whatever conversation it went to.
    let page = ClientKey::Page {
        thread,
        key: "k".into(),
    };
    messages::append(c, text(first, "hello", Some(page.clone())))
        .await
        .unwrap();
    assert!(messages::by_client_key(c, second, &page).await.unwrap().is_some());
    let twice = messages::append(c, text(second, "hello", Some(page))).await;
    assert!(
        matches!(twice, Err(StoreError::Database(_))),
        "the database itself refuses the second"
    );
}

#[tokio::test]
async fn an_agent_has_one_slot_and_the_database_knows_it() {
    let folder = Folder::new();
    let store = folder.open().await;
    let mut writing = store.write().await.unwrap();
    let agent = agent(&mut writing).await;
    let conversation = conversation(&mut writing, None).await;
    let first = call(conversation, agent);
    escalations::insert(writing.conn(), &first, 1).await.unwrap();
    assert_eq!(
        escalations::in_slot(writing.conn(), agent).await.unwrap().unwrap().id,
        first.id
    );
    drop(writing.commit().await.unwrap());
    let mut writing = store.write().await.unwrap();
    assert!(
        escalations::insert(writing.conn(), &call(conversation, agent), 1)
            .await
            .is_err()
    );
    drop(writing);
    let mut writing = store.write().await.unwrap();
    let over = EscalationState::Ended {
        at: 2,
        reason: EndReason::Cancelled,
        live_ms: 0,
    };
    escalations::set_state(writing.conn(), first.id, over).await.unwrap();
    let second = call(conversation, agent);
    escalations::insert(writing.conn(), &second, 3).await.unwrap();
    let stored = conversations::get(writing.conn(), conversation).await.unwrap().unwrap();
    assert_eq!(stored.escalation.unwrap().id, second.id);
    assert_eq!(escalations::all_running(writing.conn()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_invite_is_bound_once() {
    let folder = Folder::new();
    let store = folder.open().await;
    let mut writing = store.write().await.unwrap();
    let agent = agent(&mut writing).await;
    let conversation = conversation(&mut writing, None).await;
    let new = call(conversation, agent);
    let c = writing.conn();
    escalations::insert(c, &new, 1).await.unwrap();
    escalations::bind_browser(c, new.id, "mine", 5).await.unwrap();
    escalations::bind_browser(c, new.id, "theirs", 6).await.unwrap();
    let stored = escalations::by_code(c, &new.code).await.unwrap().unwrap();
    assert_eq!(
        (stored.browser_hash.as_deref(), stored.redeemed_at),
        (Some("mine"), Some(5))
    );
    assert!(escalations::by_code(c, "other").await.unwrap().is_none());
}

#[tokio::test]
async fn a_room_and_its_tokens_are_kept() {
    let folder = Folder::new();
    let store = folder.open().await;
    let mut writing = store.write().await.unwrap();
    let agent = agent(&mut writing).await;
    let conversation = conversation(&mut writing, None).await;
    let new = call(conversation, agent);
    let c = writing.conn();
    escalations::insert(c, &new, 1).await.unwrap();
    assert_eq!(rooms::get(c, new.room).await.unwrap(), Some(StoredRoom::default()));
    let mut room = StoredRoom {
        offer: Some(Offer {
            negotiation: u32::MAX,
            sdp: "v=0".into(),
        }),
        answer: Some("v=0".into()),
        ..StoredRoom::default()
    };
    room.customer.session = 3;
    room.customer.resume = Some("hash".into());
    room.agent.media.camera = true;
    rooms::save(c, new.room, &room).await.unwrap();
    assert_eq!(rooms::get(c, new.room).await.unwrap(), Some(room));
    rooms::add_token(c, "t", new.room, Party::Customer).await.unwrap();
    assert_eq!(
        rooms::by_token(c, "t").await.unwrap(),
        Some((new.room, Pass::Seat(Party::Customer)))
    );
    assert_eq!(rooms::by_token(c, "u").await.unwrap(), None);

    // Of those who connect ahead of the tap the newest counts, until nobody does.
    let warm = |browser: &str| {
        let browser_hash = browser.into();
        Some((new.room, Pass::Warm { browser_hash }))
    };
    rooms::set_warm(c, new.room, "w1", "first").await.unwrap();
    assert_eq!(rooms::by_token(c, "w1").await.unwrap(), warm("first"));
    rooms::set_warm(c, new.room, "w2", "second").await.unwrap();
    assert_eq!(rooms::by_token(c, "w1").await.unwrap(), None);
    assert_eq!(rooms::by_token(c, "w2").await.unwrap(), warm("second"));
    rooms::clear_warm(c, new.room).await.unwrap();
    assert_eq!(rooms::by_token(c, "w2").await.unwrap(), None);
}

#[tokio::test]
async fn an_outbox_row_is_sent_once() {
    let folder = Folder::new();
    let store = folder.open().await;
    let mut writing = store.write().await.unwrap();
    let agent = agent(&mut writing).await;
    let conversation = conversation(&mut writing, None).await;
    let new = call(conversation, agent);
    let c = writing.conn();
    escalations::insert(c, &new, 1).await.unwrap();
    outbox::add(c, new.id, 1).await.unwrap();
    let row = outbox::next_unsent(c).await.unwrap().unwrap();
    assert_eq!(row.escalation, new.id);
    assert!(outbox::mark_sent(c, row.id, 2).await.unwrap());
    assert!(!outbox::mark_sent(c, row.id, 3).await.unwrap());
    assert!(outbox::next_unsent(c).await.unwrap().is_none());
}

fn report(number: i64) -> Report {
    Report {
        id: ReportId(Uuid::new_v4()),
        extent: Extent::Quick,
        started_at: number,
        finished_at: number,
        app_version: "0.1.0".into(),
        system: String::new(),
        readiness: Readiness::Video,
        checks: Vec::new(),
    }
}

#[tokio::test]
async fn the_last_reports_of_each_agent_are_kept() {
    let folder = Folder::new();
    let store = folder.open().await;
    let mut writing = store.write().await.unwrap();
    let (one, other) = (agent(&mut writing).await, agent(&mut writing).await);
    let desk = DeskId(Uuid::new_v4());
    let c = writing.conn();
    let theirs = report(0);
    readiness::add_report(c, other, desk, &theirs, 0).await.unwrap();
    let all: Vec<Report> = (0..readiness::KEPT_REPORTS + 2).map(report).collect();
    for report in &all {
        // All in one millisecond: they are kept in the order in which they came.
        readiness::add_report(c, one, desk, report, 7).await.unwrap();
    }
    let kept = readiness::reports(c, one).await.unwrap();
    let newest: Vec<Report> = all[2..].iter().rev().cloned().collect();
    assert_eq!(kept, newest);
    assert_eq!(
        readiness::reports(c, other).await.unwrap(),
        std::slice::from_ref(&theirs)
    );
    assert_eq!(readiness::sender(c, theirs.id).await.unwrap(), Some(other));
    assert_eq!(readiness::sender(c, all[0].id).await.unwrap(), None);
    let twice = readiness::add_report(c, one, desk, &theirs, 8).await;
    assert!(
        matches!(twice, Err(StoreError::Database(_))),
        "the database itself refuses the second"
    );
}

#[tokio::test]
async fn leases_are_found_by_desk_by_agent_and_by_time() {
    let folder = Folder::new();
    let store = folder.open().await;
    let mut writing = store.write().await.unwrap();
    let (one, other) = (agent(&mut writing).await, agent(&mut writing).await);
    let lease = |account, seen_at, due_at| StoredLease {
        account,
        desk: DeskId(Uuid::new_v4()),
        state: LeaseState::new(3),
        due_at,
        seen_at,
        path: "UDP, direct".into(),
    };
    let c = writing.conn();
    assert_eq!(readiness::next_due(c).await.unwrap(), None);
    let (first, second) = (lease(one, 1, Some(500)), lease(one, 2, None));
    let mut third = lease(other, 1, Some(400));
    for lease in [&first, &second, &third] {
        readiness::save_lease(c, lease).await.unwrap();
    }
    assert_eq!(
        readiness::lease(c, one, first.desk).await.unwrap().as_ref(),
        Some(&first)
    );
    assert_eq!(readiness::lease(c, other, first.desk).await.unwrap(), None);
    assert_eq!(readiness::newest_lease(c, one).await.unwrap().as_ref(), Some(&second));
    assert_eq!(readiness::next_due(c).await.unwrap(), Some(400));
    assert!(readiness::due(c, 399, 10).await.unwrap().is_empty());
    assert_eq!(
        readiness::due(c, 500, 10).await.unwrap(),
        [third.clone(), first.clone()]
    );
    assert_eq!(readiness::due(c, 500, 1).await.unwrap(), [third.clone()]);
    third.due_at = None;
    readiness::save_lease(c, &third).await.unwrap();
    assert_eq!(readiness::next_due(c).await.unwrap(), Some(500));

    // Of somebody who moves from desk to desk the last ten stay.
    for seen_at in 10..20 {
        readiness::save_lease(c, &lease(one, seen_at, None)).await.unwrap();
    }
    assert_eq!(readiness::lease(c, one, first.desk).await.unwrap(), None);
    assert_eq!(readiness::lease(c, one, second.desk).await.unwrap(), None);
    let all = readiness::all_leases(c).await.unwrap();
    let of_one: Vec<i64> = all.iter().filter(|l| l.account == one).map(|l| l.seen_at).collect();
    assert_eq!(of_one, (10..20).rev().collect::<Vec<_>>());
    assert!(all.contains(&third));
}

#[tokio::test]
async fn what_routing_knows_of_an_agent_is_replaced_and_all_unfinished_work_is_found() {
    let folder = Folder::new();
    let store = folder.open().await;
    let mut writing = store.write().await.unwrap();
    let (one, other) = (agent(&mut writing).await, agent(&mut writing).await);
    let work = [
        conversation(&mut writing, None).await,
        conversation(&mut writing, None).await,
        conversation(&mut writing, None).await,
    ];
    let c = writing.conn();
    let mut row = Agent::new(Profile::default(), 7);
    routing::save_agent(c, one, &row).await.unwrap();
    routing::save_agent(c, other, &row).await.unwrap();
    row.pause = Some(Pause::Missed);
    routing::save_agent(c, one, &row).await.unwrap();
    let kept = routing::agents(c).await.unwrap();
    assert_eq!(kept.len(), 2);
    assert!(kept.contains(&(one, row)));

    for (id, state) in [
        (work[0], ConversationState::Closed),
        (work[1], ConversationState::WrapUp),
    ] {
        conversations::set_state(c, id, state, 20).await.unwrap();
    }
    let unfinished = conversations::unfinished(c).await.unwrap();
    assert_eq!(unfinished.iter().map(|c| c.id).collect::<Vec<_>>(), work[1..]);
}

#[tokio::test]
async fn one_change_at_a_time_and_readers_do_not_wait() {
    let folder = Folder::new();
    let store = folder.open().await;
    let mut writing = store.write().await.unwrap();
    let id = conversation(&mut writing, None).await;
    let second = tokio::spawn({
        let store = store.clone();
        async move { store.write().await.is_ok() }
    });
    let mut c = store.read().await.unwrap();
    assert!(
        conversations::get(&mut c, id).await.unwrap().is_none(),
        "not committed yet"
    );
    let committed = writing.commit().await.unwrap();
    assert!(conversations::get(&mut c, id).await.unwrap().is_some());
    assert!(
        !second.is_finished(),
        "the turn ends with the announcement, not with the commit"
    );
    drop(committed);
    assert!(second.await.unwrap());
}

#[tokio::test]
async fn self_tests_stand_in_no_inbox_and_are_forgotten_without_a_trace_of_theirs() {
    let folder = Folder::new();
    let store = folder.open().await;
    let mut writing = store.write().await.unwrap();
    let owner = agent(&mut writing).await;
    let work = conversation(&mut writing, None).await;
    let hidden = ConversationId(Uuid::new_v4());
    let new = NewConversation {
        id: hidden,
        channel: Channel::SelfTest,
        thread: None,
        customer_name: "Echo".into(),
        context: Default::default(),
    };
    let c = writing.conn();
    conversations::open(c, &new, 10).await.unwrap();
    conversations::set_owner(c, hidden, owner).await.unwrap();
    conversations::set_state(c, hidden, ConversationState::Active, 10)
        .await
        .unwrap();
    let test = call(hidden, owner);
    escalations::insert(c, &test, 10).await.unwrap();
    rooms::add_token(c, "token", test.room, Party::Agent).await.unwrap();
    rooms::set_warm(c, test.room, "warm", "browser").await.unwrap();
    outbox::add(c, test.id, 10).await.unwrap();
    messages::append(c, text(hidden, "The call ended", None)).await.unwrap();
    let inbox = conversations::inbox(c, owner, Role::Admin).await.unwrap();
    assert_eq!(inbox.iter().map(|c| c.id).collect::<Vec<_>>(), [work]);

    // While it runs it is kept, and so is what is younger.
    self_tests::forget(c, 11).await.unwrap();
    assert!(conversations::get(c, hidden).await.unwrap().is_some());
    conversations::set_state(c, hidden, ConversationState::Closed, 20)
        .await
        .unwrap();
    self_tests::forget(c, 10).await.unwrap();
    assert!(conversations::get(c, hidden).await.unwrap().is_some());
    self_tests::forget(c, 11).await.unwrap();
    assert!(conversations::get(c, hidden).await.unwrap().is_none());
    assert!(escalations::get(c, test.id).await.unwrap().is_none());
    assert!(rooms::by_token(c, "token").await.unwrap().is_none());
    assert!(conversations::get(c, work).await.unwrap().is_some());
}

#[tokio::test]
async fn a_conversation_is_found_by_what_others_call_it_and_read_from_its_later_ones() {
    let folder = Folder::new();
    let store = folder.open().await;
    let mut writing = store.write().await.unwrap();
    let (old, new, doubtful) = (
        conversation(&mut writing, None).await,
        conversation(&mut writing, None).await,
        conversation(&mut writing, None).await,
    );
    let c = writing.conn();
    for (id, value) in [(old, "CH-1"), (new, "CH-1"), (old, "CH-2"), (old, "CH-2")] {
        origins::add_alias(c, id, "twilio", value).await.unwrap();
    }
    assert_eq!(
        origins::by_name(c, "CH-1").await.unwrap(),
        Some(new),
        "the newest of a name"
    );
    assert_eq!(origins::by_name(c, "CH-2").await.unwrap(), Some(old));
    assert_eq!(
        origins::by_name(c, &old.to_string().to_uppercase()).await.unwrap(),
        Some(old)
    );
    assert_eq!(origins::by_name(c, "CH-3").await.unwrap(), None);

    for (later, verified) in [(new, true), (doubtful, false)] {
        let origin = NewOrigin {
            previous: Some(Previous::Ours { id: old, verified }),
            hidden: vec!["VideoCall".into()],
            ..NewOrigin::default()
        };
        origins::set(c, later, &origin).await.unwrap();
    }
    // Even one that somehow continues itself comes to an end.
    let circle = NewOrigin {
        previous: Some(Previous::Ours {
            id: new,
            verified: true,
        }),
        ..NewOrigin::default()
    };
    origins::set(c, old, &circle).await.unwrap();
    let later: Vec<_> = origins::later(c, old)
        .await
        .unwrap()
        .iter()
        .map(|l| l.conversation)
        .collect();
    assert!(later.contains(&new) && !later.contains(&doubtful));
    let stored = conversations::get(c, new).await.unwrap().unwrap();
    assert_eq!(stored.origin.hidden, ["VideoCall"]);
    assert!(matches!(
        stored.origin.previous,
        Some(PreviousConversation::Known { id, verified: true, closed_at: None, .. }) if id == old
    ));
    let name = "x".repeat(1_000);
    let unknown = NewOrigin {
        previous: Some(Previous::Unknown { name }),
        ..NewOrigin::default()
    };
    origins::set(c, new, &unknown).await.unwrap();
    let stored = conversations::get(c, new).await.unwrap().unwrap();
    assert_eq!(
        stored.origin.previous,
        Some(PreviousConversation::Unknown { name: "x".repeat(200) })
    );
}
