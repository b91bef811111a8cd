//! The service level: each queue by its own time.

use sightline_call::routing::{QueueId, Routed};
use sightline_store::{
    Store, Writing,
    conversations::{self, NewConversation},
    wall::{Within, service},
};
use sightline_wire::{
    conversation::{Channel, ConversationState},
    ids::ConversationId,
    wall::ServiceLevel,
};
use uuid::Uuid;

const SECOND: i64 = 1_000;

/// A customer who came to this queue at 100 s.
async fn came(writing: &mut Writing, queue: Option<u32>) -> ConversationId {
    let id = ConversationId(Uuid::new_v4());
    let new = NewConversation {
        id,
        channel: Channel::WebChat,
        thread: None,
        customer_name: String::new(),
        context: Default::default(),
    };
    conversations::open(writing.conn(), &new, 100 * SECOND).await.unwrap();
    if let Some(queue) = queue {
        let routed = Routed::in_queue(QueueId(queue), 0);
        conversations::set_routing(writing.conn(), id, &routed).await.unwrap();
    }
    id
}

/// After so many seconds.
async fn becomes(writing: &mut Writing, id: ConversationId, state: ConversationState, after: i64) {
    let at = (100 + after) * SECOND;
    conversations::set_state(writing.conn(), id, state, at).await.unwrap();
}

#[tokio::test]
async fn each_queue_is_measured_by_its_own_time() {
    let folder = std::env::temp_dir().join(format!("sightline-wall-{}", Uuid::new_v4()));
    std::fs::create_dir_all(&folder).unwrap();
    let store = Store::open(&folder.join("sightline.db")).await.unwrap();
    let mut writing = store.write().await.unwrap();
    for queue in [1, 2] {
        let quick = came(&mut writing, Some(queue)).await;
        becomes(&mut writing, quick, ConversationState::Active, 15).await;
        let slow = came(&mut writing, Some(queue)).await;
        becomes(&mut writing, slow, ConversationState::Active, 50).await;
        let gave_up = came(&mut writing, Some(queue)).await;
        becomes(&mut writing, gave_up, ConversationState::Closed, 30).await;
        came(&mut writing, Some(queue)).await;
    }
    // Of an older run, put nowhere; and one in a queue that nobody has configured.
    let old = came(&mut writing, None).await;
    becomes(&mut writing, old, ConversationState::Active, 5).await;
    let lost = came(&mut writing, Some(9)).await;
    becomes(&mut writing, lost, ConversationState::Active, 5).await;

    let within = |queue, unplaced, seconds| Within {
        queue,
        unplaced,
        within_ms: seconds * SECOND,
    };
    let goals = [within(1, false, 20), within(2, true, 60), within(3, false, 20)];
    let now = 145 * SECOND;
    let levels = service(writing.conn(), &goals, 0, now).await.unwrap();
    let level = |in_time, of| Some(ServiceLevel { in_time, of });
    let found = |queue: u32| levels.get(&queue).copied();
    assert_eq!(found(1), level(1, 4), "20 s are over for who waits");
    assert_eq!(
        found(2),
        level(3, 3),
        "who gave up and who waits could still have been served within 60 s"
    );
    assert_eq!(found(3), None);
    assert_eq!(levels.len(), 2);
    let later = service(writing.conn(), &goals, 101 * SECOND, now).await.unwrap();
    assert!(later.is_empty(), "they came before");
    assert!(service(writing.conn(), &[], 0, now).await.unwrap().is_empty());
    drop(writing);
    let _ = std::fs::remove_dir_all(&folder);
}
