//! What the server itself makes of what comes from outside, each kind of input as one function: it must be read or refused,
//! never panic. The fuzzers of `fuzz/` call these, and so do the tests that replay its corpus.

use crate::{
    Deployment, RoutingMode, Secret,
    directline::activity::{activity_id, client_key, watermark},
    links::query::{Judged, judge, made},
    routing::plan::Plan,
};
use sightline_call::text::{check_context, check_message, one_line, pieces};
use sightline_connect::bot::variables::of_live_chat;
use sightline_wire::{
    MAX_MESSAGE_CHARS,
    directline::{Activity, WebChatStart},
    ids::{AccountId, ConversationId},
};
use uuid::Uuid;

/// One kind of input: its folder of `fuzz/corpus`, and what reads it; `false` for what was refused or says nothing.
pub type Target = (&'static str, fn(&[u8]) -> bool);

/// Every kind of input that the server reads by itself.
pub const TARGETS: &[Target] = &[
    ("deployment", deployment),
    ("chat_link", chat_link),
    ("web_chat", web_chat),
];

/// The deployment's file: understood, or refused in a sentence.
fn deployment(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    match Deployment::parse(text) {
        Ok(deployment) => {
            // Whoever runs in the other mode reads the same file.
            let _ = Plan::checked(&deployment, &RoutingMode::default());
            true
        }
        Err(sentence) => {
            assert!(!sentence.trim().is_empty());
            false
        }
    }
}

/// The query of an address of the chat: nobody makes one that counts as signed, and one of ours with it in front is not
/// ours any more.
fn chat_link(data: &[u8]) -> bool {
    let Ok(query) = std::str::from_utf8(data) else {
        return false;
    };
    let key = Secret::new("of the fuzzer alone");
    let judged = judge(query, &key, 0);
    assert!(
        !matches!(judged, Judged::Signed(_) | Judged::Expired),
        "{query} counts as ours"
    );
    if let Judged::Unsigned(fields) = &judged {
        assert!(!fields.conversation.is_empty());
    }
    let ours = made(
        ConversationId(Uuid::nil()),
        (AccountId(Uuid::nil()), query),
        true,
        1,
        &key,
    );
    assert!(matches!(judge(&ours, &key, 0), Judged::Signed(_)), "{ours} is ours");
    assert!(matches!(judge(&ours, &key, 1), Judged::Expired));
    if !query.is_empty() {
        assert!(!matches!(judge(&format!("{query}&{ours}"), &key, 0), Judged::Signed(_)));
        // What others append is not read.
        assert_eq!(judge(&format!("{ours}&{query}"), &key, 0), judge(&ours, &key, 0));
    }
    judged != Judged::Nothing
}

/// What a page says when it opens the chat, and what it then posts.
fn web_chat(data: &[u8]) -> bool {
    let mut read = false;
    if let Ok(start) = serde_json::from_slice::<WebChatStart>(data)
        && let Ok(page) = of_live_chat(&start.context)
    {
        read = check_context(&page.context).is_ok();
    }
    if let Ok(activity) = serde_json::from_slice::<Activity>(data) {
        let key = client_key(&activity);
        assert!(key.is_none_or(|key| (1..=200).contains(&key.len())));
        let text = activity.text.unwrap_or_default();
        if check_message(&text).is_ok() {
            read = true;
            let parts = pieces(&text, MAX_MESSAGE_CHARS);
            assert!(parts.iter().all(|part| part.chars().count() <= MAX_MESSAGE_CHARS));
            assert!(!one_line(&text).contains('\n'));
        }
    }
    let text = String::from_utf8_lossy(data);
    let number = watermark(Some(&text));
    assert!(number >= 0);
    assert_eq!(watermark(Some(&activity_id("thread", number))), number);
    read
}
