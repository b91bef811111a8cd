//! What the server itself makes of what comes from outside, each kind of input as one function: it must be read or refused,
//! never panic. The fuzzers of `fuzz/` call these, and so do the tests that replay its corpus.

use crate::{
    Deployment, RoutingMode, RunningServer, Secret, ServerConfig,
    directline::activity::{activity_id, client_key, watermark},
    links::query::{Judged, judge, made},
    routing::plan::Plan,
    serve,
};
use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{ConnectInfo, Request},
    http::{StatusCode, Uri, header},
};
use sightline_call::text::{check_context, check_message, one_line, pieces};
use sightline_connect::bot::variables::of_live_chat;
use sightline_wire::{
    MAX_MESSAGE_CHARS, Problem,
    directline::{Activity, WebChatStart},
    ids::{AccountId, ConversationId},
};
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Mutex, OnceLock, PoisonError},
};
use tokio::runtime::Runtime;
use tower_service::Service;
use uuid::Uuid;

/// One kind of input: its folder of `fuzz/corpus`, and what reads it; `false` for what was refused or says nothing.
pub type Target = (&'static str, fn(&[u8]) -> bool);

/// Every kind of input that the server reads by itself.
pub const TARGETS: &[Target] = &[
    ("deployment", deployment),
    ("chat_link", chat_link),
    ("web_chat", web_chat),
    ("address", address),
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

/// What a customer opens, from the slash on: the chat with a link's query, `/c/CODE`, `/j/CODE`, and what the page then
/// asks of the invite. A page is the same whatever its address says, nothing of which is repeated; everything else is
/// answered, and refused in a way that a page can read.
fn address(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let customers = ["/j/", "/c/", "/chat", "/?", "/v1/invites/"];
    if !customers.iter().any(|start| text.starts_with(start)) {
        return false;
    }
    let Ok(uri) = Uri::try_from(text) else {
        return false;
    };
    // Who asks for too many unknown codes is not answered any more; here everybody asks once.
    let from = data
        .iter()
        .fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(*byte)));
    let asked = |uri: Uri| {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = uri;
        let peer = SocketAddr::from((Ipv4Addr::from(from), 9));
        request.extensions_mut().insert(ConnectInfo(peer));
        answer(request)
    };
    let (status, is_page, body) = asked(uri.clone());
    assert!(!status.is_server_error(), "{uri} is answered with {status}");
    if !status.is_success() {
        let problem: Problem = serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{uri}: {status}, {error}"));
        assert!(!problem.message.is_empty() && !problem.next_step.is_empty());
        return false;
    }
    if is_page {
        let plain = if text.starts_with("/j/") { "/j/code" } else { "/chat" };
        let (_, _, known) = asked(Uri::from_static(plain));
        assert!(body == known, "{uri} is another page than {plain}");
    }
    true
}

/// Of a server that is started once and asked without a network.
fn answer(request: Request) -> (StatusCode, bool, Bytes) {
    static SERVER: OnceLock<Mutex<(Runtime, RunningServer)>> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        let database = std::env::temp_dir().join(format!("sightline-fuzz-{}.sqlite", Uuid::new_v4()));
        let runtime = Runtime::new().expect("a runtime can be had");
        let config = ServerConfig::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), database);
        let server = runtime.block_on(serve(config)).expect("a server starts");
        Mutex::new((runtime, server))
    });
    let server = server.lock().unwrap_or_else(PoisonError::into_inner);
    let (runtime, server) = &*server;
    runtime.block_on(async {
        let mut router = server.router.clone();
        let Ok(response) = Service::<Request>::call(&mut router, request).await;
        let (status, kind) = (response.status(), response.headers().get(header::CONTENT_TYPE));
        let is_page = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        let body = to_bytes(response.into_body(), usize::MAX)
            .await
            .expect("an answer is whole");
        (status, is_page, body)
    })
}
