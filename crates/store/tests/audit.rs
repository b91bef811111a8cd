//! The audit log is a chain: whatever somebody does to its rows shows.

use sightline_store::{
    Store, Writing,
    accounts::{self, StoredAccount},
    audit::{self, Checked, Head, NewEntry},
};
use sightline_wire::{
    account::{Account, Role},
    audit::{AuditAct, AuditDetail},
    conversation::ConversationState,
    ids::{AccountId, ConversationId},
};
use std::path::PathBuf;
use uuid::Uuid;

struct Log {
    folder: PathBuf,
    store: Store,
    actor: AccountId,
    conversation: ConversationId,
}

impl Drop for Log {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Log {
    /// With this many entries, a minute apart.
    async fn of(entries: i64) -> Self {
        let folder = std::env::temp_dir().join(format!("sightline-audit-{}", Uuid::new_v4()));
        std::fs::create_dir_all(&folder).unwrap();
        let store = Store::open(&folder.join("sightline.db")).await.unwrap();
        let actor = AccountId(Uuid::new_v4());
        let account = Account {
            id: actor,
            email: "boss@example.test".into(),
            name: "Grace".into(),
            role: Role::Supervisor,
        };
        let mut writing = store.write().await.unwrap();
        let stored = StoredAccount {
            account,
            password_hash: "not a hash".into(),
        };
        accounts::insert(writing.conn(), &stored, 1).await.unwrap();
        let log = Self {
            folder,
            store: store.clone(),
            actor,
            conversation: ConversationId(Uuid::new_v4()),
        };
        for n in 1..=entries {
            log.add(&mut writing, n).await;
        }
        drop(writing.commit().await.unwrap());
        log
    }

    async fn add(&self, writing: &mut Writing, n: i64) {
        let entry = NewEntry {
            actor: self.actor,
            act: AuditAct::Assigned,
            conversation: Some(self.conversation),
            agent: None,
            escalation: None,
            detail: AuditDetail {
                state: Some(ConversationState::Open),
                over_units: Some(20),
                ..AuditDetail::default()
            },
            at: n * 60_000,
        };
        audit::append(writing.conn(), entry).await.unwrap();
    }

    /// As somebody with the file in hand, who first does away with the triggers.
    async fn tamper(&self, statements: &[&'static str]) {
        let mut writing = self.store.write().await.unwrap();
        let triggers = ["DROP TRIGGER audit_is_not_changed", "DROP TRIGGER audit_is_not_removed"];
        for statement in triggers.iter().chain(statements) {
            sqlx::query(*statement).execute(writing.conn()).await.unwrap();
        }
        drop(writing.commit().await.unwrap());
    }

    async fn check(&self, known: Option<&Head>) -> Checked {
        let mut c = self.store.read().await.unwrap();
        audit::check(&mut c, known).await.unwrap()
    }

    async fn broken_at(&self) -> Option<i64> {
        self.check(None).await.broken_at
    }
}

#[tokio::test]
async fn an_untouched_log_is_intact_and_read_backwards() {
    let log = Log::of(5).await;
    let checked = log.check(None).await;
    assert_eq!((checked.head.seq, checked.broken_at), (5, None));
    assert_eq!(checked.head.hash.len(), 64);
    let mut c = log.store.read().await.unwrap();
    let newest = audit::before(&mut c, None, 2).await.unwrap();
    assert_eq!(newest.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [5, 4]);
    assert_eq!(newest[0].hash, checked.head.hash);
    assert_eq!(
        (newest[0].actor_name.as_str(), newest[0].act),
        ("Grace", AuditAct::Assigned)
    );
    assert_eq!(newest[0].detail.over_units, Some(20));
    let older = audit::before(&mut c, Some(4), 10).await.unwrap();
    assert_eq!(older.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [3, 2, 1]);
    for (act, since, done) in [
        (AuditAct::Assigned, 300_000, true),
        (AuditAct::Assigned, 300_001, false),
        (AuditAct::Read, 0, false),
    ] {
        let found = audit::done_since(&mut c, log.actor, act, log.conversation, since).await;
        assert_eq!(found.unwrap(), done, "{act:?} since {since}");
    }
}

#[tokio::test]
async fn what_is_not_committed_was_never_written() {
    let log = Log::of(2).await;
    let mut writing = log.store.write().await.unwrap();
    log.add(&mut writing, 3).await;
    drop(writing);
    assert_eq!(log.check(None).await.head.seq, 2);
    let mut writing = log.store.write().await.unwrap();
    log.add(&mut writing, 3).await;
    drop(writing.commit().await.unwrap());
    let checked = log.check(None).await;
    assert_eq!((checked.head.seq, checked.broken_at), (3, None));
}

#[tokio::test]
async fn our_own_code_cannot_change_it() {
    let log = Log::of(3).await;
    for statement in [
        "UPDATE audit SET at = 0 WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 3",
    ] {
        let mut writing = log.store.write().await.unwrap();
        let refused = sqlx::query(statement).execute(writing.conn()).await.unwrap_err();
        assert!(refused.to_string().contains("only added to"), "{refused}");
    }
    assert_eq!(log.broken_at().await, None);
}

#[tokio::test]
async fn a_changed_value_shows_whichever_it_is() {
    for change in [
        "UPDATE audit SET at = at + 1 WHERE seq = 3",
        "UPDATE audit SET actor = id WHERE seq = 3",
        "UPDATE audit SET act = 'read' WHERE seq = 3",
        "UPDATE audit SET conversation = NULL WHERE seq = 3",
        "UPDATE audit SET agent = actor WHERE seq = 3",
        "UPDATE audit SET escalation = '' WHERE seq = 3",
        "UPDATE audit SET detail = '{}' WHERE seq = 3",
        "UPDATE audit SET hash = (SELECT hash FROM audit WHERE seq = 2) WHERE seq = 3",
        // A value that moves into its neighbour leaves the same letters behind.
        "UPDATE audit SET agent = conversation, conversation = NULL WHERE seq = 3",
    ] {
        let log = Log::of(5).await;
        log.tamper(&[change]).await;
        let checked = log.check(None).await;
        assert_eq!((checked.head.seq, checked.broken_at), (2, Some(3)), "{change}");
    }
}

#[tokio::test]
async fn a_missing_entry_shows_even_when_the_rest_closes_up() {
    let log = Log::of(5).await;
    log.tamper(&["DELETE FROM audit WHERE seq = 3"]).await;
    assert_eq!(log.broken_at().await, Some(3));
    let log = Log::of(5).await;
    log.tamper(&[
        "DELETE FROM audit WHERE seq = 3",
        "UPDATE audit SET seq = 3 WHERE seq = 4",
        "UPDATE audit SET seq = 4 WHERE seq = 5",
    ])
    .await;
    assert_eq!(log.broken_at().await, Some(3));
    let log = Log::of(5).await;
    log.tamper(&["DELETE FROM audit WHERE seq < 3"]).await;
    assert_eq!(log.broken_at().await, Some(1), "the beginning belongs to it, too");
}

#[tokio::test]
async fn two_entries_that_change_places_show() {
    let log = Log::of(5).await;
    log.tamper(&[
        "UPDATE audit SET seq = 99 WHERE seq = 2",
        "UPDATE audit SET seq = 2 WHERE seq = 3",
        "UPDATE audit SET seq = 3 WHERE seq = 99",
    ])
    .await;
    assert_eq!(log.broken_at().await, Some(2));
}

#[tokio::test]
async fn an_end_that_was_cut_off_is_missed_by_whoever_knew_it() {
    let log = Log::of(5).await;
    let known = log.check(None).await.head;
    log.tamper(&["DELETE FROM audit WHERE seq > 3"]).await;
    assert_eq!(log.broken_at().await, None, "the rest is a chain of its own");
    assert_eq!(log.check(Some(&known)).await.broken_at, Some(4));
    // And whoever writes new ones in their place.
    let mut writing = log.store.write().await.unwrap();
    for n in 40..=42 {
        log.add(&mut writing, n).await;
    }
    drop(writing.commit().await.unwrap());
    assert_eq!(log.broken_at().await, None);
    assert_eq!(log.check(Some(&known)).await.broken_at, Some(5));
}
