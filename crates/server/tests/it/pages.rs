//! The customer's pages and their headers.

use crate::harness::{Folder, World};
use reqwest::{Method, StatusCode};
use serde_json::json;
use std::io::Read;
use uuid::Uuid;

async fn world() -> (World, Folder) {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.0.join("assets")).unwrap();
    for (path, text) in [
        ("chat.html", "<title>chat</title>"),
        ("join.html", "<title>join</title>"),
        ("widget.js", "// widget"),
        ("assets/app-1a2b.js", "// app"),
    ] {
        std::fs::write(folder.0.join(path), text).unwrap();
    }
    let pages = folder.0.clone();
    (
        World::with(|config| {
            config.pages = Some(pages);
        })
        .await,
        folder,
    )
}

#[tokio::test]
async fn pages_come_with_a_strict_policy() {
    let (world, _folder) = world().await;
    for (path, title, ancestors) in [
        ("/", "chat", "frame-ancestors *"),
        ("/chat", "chat", "frame-ancestors *"),
        ("/j/abc", "join", "frame-ancestors 'none'"),
    ] {
        let answer = world.api.request(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_string();
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(policy.ends_with(ancestors), "{policy}");
        assert!(!policy.contains("unsafe"));
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert!(header("permissions-policy").contains("camera=(self)"));
        assert!(answer.text().await.unwrap().contains(title));
    }
}

#[tokio::test]
async fn assets_are_kept_and_nothing_else_is_served() {
    let (world, _folder) = world().await;
    let asset = world
        .api
        .request(Method::GET, "/assets/app-1a2b.js")
        .send()
        .await
        .unwrap();
    assert_eq!(asset.headers()["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(asset.headers()["content-type"], "text/javascript; charset=utf-8");
    let widget = world.api.request(Method::GET, "/widget.js").send().await.unwrap();
    assert_eq!(widget.headers()["cross-origin-resource-policy"], "cross-origin");
    for path in [
        "/assets/..%2Fjoin.html",
        "/assets/%2Fetc%2Fpasswd",
        "/assets/missing.js",
    ] {
        let answer = world.api.request(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn the_embedded_pages_carry_the_brand() {
    let world = World::with(|config| {
        config.company = "Kettle & \"Co\"".into();
        config.brand_colour = Some("#0b6e63".into());
    })
    .await;
    for path in ["/chat", "/j/abc"] {
        let page = world.api.request(Method::GET, path);
        let answer = page.header("accept-encoding", "gzip").send().await.unwrap();
        assert_eq!(answer.headers()["content-encoding"], "gzip");
        let mut html = String::new();
        flate2::read::GzDecoder::new(&*answer.bytes().await.unwrap())
            .read_to_string(&mut html)
            .unwrap();
        assert!(
            html.contains(r#"name="sightline-company" content="Kettle &amp; &quot;Co&quot;""#),
            "{html}"
        );
        assert!(
            html.contains(r##"name="sightline-accent" content="#0b6e63""##),
            "{html}"
        );
    }
}

async fn read(world: &World, path: &str, asked: &str) -> (String, String) {
    let page = world.api.request(Method::GET, path);
    let answer = page.header("accept-language", asked).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    assert_eq!(answer.headers()["vary"], "accept-encoding, accept-language");
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    (answer.text().await.unwrap(), policy)
}

/// The language and the headline of a page.
fn language(html: &str) -> (&str, &str) {
    let between = |from: &str, to: &str| html.split(from).nth(1).and_then(|rest| rest.split(to).next()).unwrap();
    (between("<html lang=\"", "\""), between("<title>", "</title>"))
}

#[tokio::test]
async fn the_pages_speak_the_browsers_language() {
    let world = World::start().await;
    for (path, asked, expected) in [
        ("/chat", "de-AT,de;q=0.9,en;q=0.8", ("de", "Schreiben Sie uns")),
        ("/", "fr", ("fr", "Écrivez-nous")),
        ("/chat?embed=1&lang=es", "de", ("es", "Escríbanos")),
        ("/chat?lang=it&lang=es", "de", ("it", "Ci scriva")),
        ("/chat?lang=ja", "nl", ("nl", "Chat met ons")),
        ("/chat?lang=%22%3E%3Cscript%3E", "ja", ("en", "Chat with us")),
        ("/c/abc", "pt-BR", ("pt", "Fale conosco")),
        ("/j/abc", "ja, de;q=0.5, en;q=0.1", ("de", "Videogespräch")),
        ("/j/%FF", "de", ("de", "Videogespräch")),
        ("/j/abc", "", ("en", "Video call")),
        ("/j/abc", "\"><script>alert(1)</script>", ("en", "Video call")),
    ] {
        let (html, policy) = read(&world, path, asked).await;
        assert_eq!(language(&html), expected, "{path} {asked}");
        assert!(!html.contains("{{") && !html.contains("alert"), "{html}");
        // Sentences travel as data: the policy need not allow any script in the page.
        assert!(policy.contains("script-src 'self'; style-src 'self';"), "{policy}");
        assert_eq!(
            html.contains(r#"<script type="application/json" id="words">"#),
            expected.0 != "en"
        );
    }
}

#[tokio::test]
async fn a_link_speaks_the_language_of_its_conversation() {
    let world = World::start().await;
    let desk = world.desk("agent").await;
    for (locale, expected) in [
        (json!("de-AT"), "de"),
        (json!({ "value": "pt_BR", "isDisplayable": false }), "pt"),
        (json!("ja-JP"), "nl"),
        (json!("de\" onload=\"alert(1)"), "nl"),
        (json!(1031), "nl"),
    ] {
        let page = world
            .api
            .page_with(json!({ "context": { "customerLocale": locale } }))
            .await;
        page.say("Hello").await;
        let conversation = desk.accept_newest().await;
        let started = desk.start_video(conversation.id, Uuid::new_v4()).await.unwrap();
        let code = page.invite().await;
        let (html, policy) = read(&world, &format!("/j/{code}"), "nl,en;q=0.5").await;
        assert_eq!(language(&html).0, expected, "{locale}");
        assert!(!html.contains("alert") && !policy.contains("unsafe"), "{html}");
        let end = format!("/v1/escalations/{}/end", started.escalation.id);
        let _: serde_json::Value = desk.post(&end, json!({})).await.unwrap();
        desk.wrap_up_and_close(conversation.id).await;
        let (chat, _) = read(&world, "/chat", "fr").await;
        assert_eq!(
            language(&chat).0,
            "fr",
            "the conversation's language is the link's alone"
        );
    }
}

#[tokio::test]
async fn the_health_is_public() {
    let world = World::start().await;
    let health = world.api.request(Method::GET, "/healthz").send().await.unwrap();
    assert_eq!(health.text().await.unwrap(), "ok");
}

#[tokio::test]
async fn embedded_pages_leave_compressed_when_the_browser_takes_it() {
    let world = World::start().await;
    let get = |coding: &'static str| {
        let request = world.api.request(Method::GET, "/widget.js");
        async move { request.header("accept-encoding", coding).send().await.unwrap() }
    };
    let (plain, gzip) = (get("identity").await, get("br, gzip").await);
    assert!(!plain.headers().contains_key("content-encoding"));
    assert_eq!(gzip.headers()["content-encoding"], "gzip");
    assert_eq!(gzip.headers()["vary"], "accept-encoding");
    assert_eq!(gzip.headers()["content-type"], plain.headers()["content-type"]);
    let (plain, gzip) = (plain.bytes().await.unwrap(), gzip.bytes().await.unwrap());
    assert!(gzip.len() < plain.len());
    let mut content = Vec::new();
    flate2::read::GzDecoder::new(&*gzip).read_to_end(&mut content).unwrap();
    assert_eq!(content, plain);
}
