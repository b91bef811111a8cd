//! What waits in the outbox, and in which order it is due.

use sightline_store::{
    SqliteConnection, Store,
    conversations::{self, NewConversation},
    deliveries::{self, Delivery, NewDelivery},
    threads::{self, Origin, Thread},
};
use sightline_wire::{conversation::Channel, ids::ConversationId};
use std::path::PathBuf;
use uuid::Uuid;

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn store() -> (Folder, Store) {
    let path = std::env::temp_dir().join(format!("sightline-deliveries-{}", Uuid::new_v4()));
    std::fs::create_dir_all(&path).unwrap();
    let store = Store::open(&path.join("sightline.db")).await.unwrap();
    (Folder(path), store)
}

/// A thread of a connector's, with a conversation.
async fn thread(c: &mut SqliteConnection, connector: &str, name: &str) -> (String, ConversationId) {
    let thread = Thread {
        id: name.to_owned(),
        origin: Origin::Platform {
            connector: connector.to_owned(),
            external: name.to_owned(),
            channel: Channel::Webhook,
        },
        user_id: String::new(),
        user_name: String::new(),
        context: Default::default(),
        conversation: None,
        last_seq: 0,
    };
    threads::insert(c, &thread, 1).await.unwrap();
    let new = NewConversation {
        id: ConversationId(Uuid::new_v4()),
        channel: Channel::Webhook,
        thread: Some(thread.id.clone()),
        customer_name: String::new(),
        context: Default::default(),
    };
    conversations::open(c, &new, 1).await.unwrap();
    (thread.id, new.id)
}

async fn add(c: &mut SqliteConnection, connector: &str, to: &(String, ConversationId), parcel: &str, now: i64) {
    let new = NewDelivery {
        connector,
        thread: &to.0,
        conversation: to.1,
        seq: None,
        parcel: &parcel,
    };
    deliveries::add(c, &new, now).await.unwrap();
}

/// What is due now, and when the next is.
async fn due(c: &mut SqliteConnection, connector: &str, now: i64) -> (Vec<String>, Option<i64>) {
    let due: Vec<Delivery<String>> = deliveries::due(c, connector, now, 16).await.unwrap();
    let next = deliveries::next_due(c, connector, now).await.unwrap();
    (due.into_iter().map(|delivery| delivery.parcel).collect(), next)
}

async fn first(c: &mut SqliteConnection, connector: &str) -> i64 {
    let due: Vec<Delivery<String>> = deliveries::due(c, connector, i64::MAX, 1).await.unwrap();
    due[0].number
}

#[tokio::test]
async fn one_of_each_thread_is_due_and_the_others_wait_behind_it() {
    let (_folder, store) = store().await;
    let mut writing = store.write().await.unwrap();
    let c = writing.conn();
    let (a, b) = (thread(c, "shop", "a").await, thread(c, "shop", "b").await);
    for (to, parcel, at) in [(&a, "a1", 10), (&b, "b1", 11), (&a, "a2", 12)] {
        add(c, "shop", to, parcel, at).await;
    }
    assert_eq!(due(c, "shop", 20).await, (vec!["a1".to_owned(), "b1".to_owned()], None));
    assert_eq!(due(c, "shop", 10).await, (vec!["a1".to_owned()], Some(11)));
    // One that is tried again later holds up its own thread, also what comes to it meanwhile.
    let number = first(c, "shop").await;
    deliveries::again(c, number, 100, "busy").await.unwrap();
    add(c, "shop", &a, "a3", 21).await;
    assert_eq!(due(c, "shop", 99).await, (vec!["b1".to_owned()], Some(100)));
    assert_eq!(due(c, "shop", 100).await.0, ["b1", "a1"]);
    deliveries::sent(c, number, None, 101).await.unwrap();
    assert_eq!(due(c, "shop", 101).await.0, ["b1", "a2"]);
    // Given up, it holds up nobody; sent again, it is before what still waits.
    let number = due_number(c, "a2").await;
    deliveries::dead(c, number, "refused", 102).await.unwrap();
    assert_eq!(due(c, "shop", 102).await.0, ["b1", "a3"]);
    let dead: Vec<Delivery<String>> = deliveries::all_dead(c, 10).await.unwrap();
    assert!(deliveries::revive(c, dead[0].id, 103).await.unwrap());
    assert_eq!(due(c, "shop", 103).await.0, ["b1", "a2"]);
}

async fn due_number(c: &mut SqliteConnection, parcel: &str) -> i64 {
    let due: Vec<Delivery<String>> = deliveries::due(c, "shop", i64::MAX, 16).await.unwrap();
    due.iter().find(|delivery| delivery.parcel == parcel).unwrap().number
}

#[tokio::test]
async fn a_backlog_of_one_connector_is_nothing_to_another() {
    let (_folder, store) = store().await;
    let mut writing = store.write().await.unwrap();
    let c = writing.conn();
    for number in 0..1_200 {
        let to = thread(c, "away", &format!("away-{number}")).await;
        add(c, "away", &to, "waits", 1).await;
    }
    let to = thread(c, "shop", "a").await;
    add(c, "shop", &to, "goes", 2).await;
    assert_eq!(due(c, "shop", 2).await, (vec!["goes".to_owned()], None));
    assert_eq!(due(c, "away", 2).await.0.len(), 16);
    assert_eq!(due(c, "nobody", 2).await, (Vec::new(), None));
}
