use crate::harness::{Folder, MemoryStore, TestDesk, World};
use sightline_desk::keyring::{Keyring, SecretStore, StoreError};
use sightline_wire::{
    ErrorCode,
    desk::{DeskCommand, SessionView},
};
use std::{
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

#[tokio::test(flavor = "multi_thread")]
async fn signs_in_stays_signed_in_and_signs_out() {
    let world = World::start().await;
    let store = MemoryStore::default();
    let mut desk = TestDesk::start(&world.url, Folder::new(), store.keyring());
    desk.until("nobody signed in", |w| {
        matches!(w.session, Some(SessionView::SignedOut { .. })).then_some(())
    })
    .await;
    assert_eq!(
        desk.sign_in("not the password").await.unwrap_err().code,
        ErrorCode::WrongCredentials
    );
    desk.sign_in(&world.password).await.unwrap();
    desk.online().await;
    let Some(SessionView::SignedIn {
        account,
        company,
        chat_url,
        keyring,
        ..
    }) = &desk.window.session
    else {
        panic!("not signed in")
    };
    assert_eq!((account.name.as_str(), company.as_str()), ("Maria", "Kettle and Co"));
    assert_eq!(*chat_url, format!("{}/chat", world.url));
    assert!(keyring.is_none());

    // The next start goes on by itself.
    let folder = desk.quit().await;
    let mut desk = TestDesk::start(&world.url, folder, store.keyring());
    desk.online().await;

    desk.command(DeskCommand::SignOut).await.unwrap();
    desk.until("signed out", |w| {
        matches!(w.session, Some(SessionView::SignedOut { .. })).then_some(())
    })
    .await;
    assert!(store.is_empty());
    assert_eq!(
        desk.command(DeskCommand::StartVideo {
            conversation: "00000000-0000-4000-8000-000000000000".parse().unwrap()
        })
        .await
        .unwrap_err()
        .code,
        ErrorCode::NotSignedIn
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_at_the_start_is_found_later() {
    let mut world = World::start().await;
    let store = MemoryStore::default();
    let mut desk = TestDesk::start(&world.url, Folder::new(), store.keyring());
    desk.sign_in(&world.password).await.unwrap();
    desk.online().await;
    let folder = desk.quit().await;

    world.stop().await;
    let mut desk = TestDesk::start(&world.url, folder, store.keyring());
    desk.until("words instead of a spinner", |w| {
        (w.problem() == Some(ErrorCode::ServerUnreachable)).then_some(())
    })
    .await;
    world.go_on().await;
    desk.online().await;
}

/// A keyring that answers only when it is told to, and only with an error.
struct Stuck {
    release: Mutex<mpsc::Receiver<()>>,
}

impl Stuck {
    fn wait<T>(&self) -> Result<T, StoreError> {
        let _ = self.release.lock().unwrap().recv();
        Err(StoreError("released".into()))
    }
}

impl SecretStore for Stuck {
    fn name(&self) -> &'static str {
        "stuck"
    }

    fn get(&self, _: &str) -> Result<Option<String>, StoreError> {
        self.wait()
    }

    fn set(&self, _: &str, _: &str) -> Result<(), StoreError> {
        self.wait()
    }

    fn delete(&self, _: &str) -> Result<(), StoreError> {
        self.wait()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyring_that_hangs_is_given_up_for_the_next_one() {
    let world = World::start().await;
    let (_held, release) = mpsc::channel();
    let (stuck, works) = (
        Stuck {
            release: Mutex::new(release),
        },
        MemoryStore::default(),
    );
    let keyring = Keyring::of(
        vec![Arc::new(stuck), Arc::new(works.clone())],
        Duration::from_millis(100),
    );
    let mut desk = TestDesk::start(&world.url, Folder::new(), keyring);
    desk.sign_in(&world.password).await.unwrap();
    desk.online().await;
    assert!(!works.is_empty());
    assert!(matches!(
        desk.window.session,
        Some(SessionView::SignedIn { keyring: None, .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_keyring_the_session_lives_in_memory_and_says_so() {
    let world = World::start().await;
    let (_held, release) = mpsc::channel();
    let stuck = Stuck {
        release: Mutex::new(release),
    };
    let keyring = Keyring::of(vec![Arc::new(stuck)], Duration::from_millis(100));
    let mut desk = TestDesk::start(&world.url, Folder::new(), keyring);
    desk.sign_in(&world.password).await.unwrap();
    desk.until("the warning", |w| match w.session.as_ref()? {
        SessionView::SignedIn {
            keyring: Some(problem), ..
        } => (problem.code == ErrorCode::KeyringUnavailable).then_some(()),
        _ => None,
    })
    .await;
    desk.online().await;
}
