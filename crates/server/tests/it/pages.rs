//! The customer's pages and their headers.

use crate::harness::{Folder, World};
use reqwest::{Method, StatusCode};
use std::io::Read;

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
