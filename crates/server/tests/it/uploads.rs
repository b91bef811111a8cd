//! Files from the customer's page: how they come, who gets them, and what is refused.

use crate::harness::{Answer, Page, World};
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sightline_wire::{
    ErrorCode, Problem,
    conversation::{Body, File, FileLink, FilePlace},
    directline::ResourceResponse,
};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and the rest of a picture";

fn upload_path(page: &Page) -> String {
    format!("/v3/directline/conversations/{}/upload", page.started.conversation_id)
}

/// A form as browsers write it; a part without a name is the activity.
fn form(parts: &[(Option<&str>, &str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, kind, content) in parts {
        let place = match name {
            Some(name) => format!("name=\"file\"; filename=\"{name}\""),
            None => "name=\"activity\"; filename=\"blob\"".into(),
        };
        body.extend(
            format!("--edge\r\ncontent-disposition: form-data; {place}\r\ncontent-type: {kind}\r\n\r\n").bytes(),
        );
        body.extend_from_slice(content);
        body.extend(b"\r\n");
    }
    body.extend(b"--edge--\r\n");
    body
}

async fn upload(page: &Page, parts: &[(Option<&str>, &str, &[u8])]) -> Result<ResourceResponse, (StatusCode, Value)> {
    let answer = page
        .api
        .request(Method::POST, &format!("{}?userId=me", upload_path(page)))
        .bearer_auth(&page.started.token)
        .header("content-type", "multipart/form-data; boundary=edge")
        .body(form(parts))
        .send()
        .await
        .unwrap();
    let status = answer.status();
    let body: Value = answer.json().await.unwrap();
    if status.is_success() {
        Ok(serde_json::from_value(body).unwrap())
    } else {
        Err((status, body))
    }
}

fn activity(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

const ACTIVITY: &str = "application/vnd.microsoft.activity";

fn id_of(file: &File) -> String {
    match file.place.as_ref().expect("it is kept") {
        FilePlace::Here { id } => id.to_string(),
        FilePlace::There { url } => panic!("it is at {url}"),
    }
}

#[tokio::test]
async fn files_come_with_their_activity_and_are_shown_on_both_sides() {
    let world = World::start().await;
    let (desk, page, conversation) = world.active().await;
    let words = json!({ "type": "message", "from": { "id": "me" }, "text": "The receipt",
        "attachments": [{ "contentType": "image/png", "name": "receipt.png" }],
        "channelData": { "clientActivityID": "one" } });
    let bytes = activity(&words);
    let parts: [(Option<&str>, &str, &[u8]); 3] = [
        (None, ACTIVITY, &bytes),
        (Some("receipt.png"), "image/png", PNG),
        (Some("list.txt"), "text/plain", b"two kettles"),
    ];
    let sent = upload(&page, &parts).await.unwrap();
    assert_eq!(sent.id, format!("{}|0000002", page.started.conversation_id));
    assert_eq!(
        upload(&page, &parts).await.unwrap(),
        sent,
        "sent twice it is stored once"
    );

    let history = page.history().await;
    assert_eq!(history.len(), 2);
    let shown = &history[1];
    assert_eq!(shown.text.as_deref(), Some("The receipt"));
    assert_eq!(shown.attachments.len(), 2);
    assert_eq!(
        shown.channel_data.as_ref().unwrap()["attachmentSizes"],
        json!([PNG.len(), 11])
    );
    let picture = &shown.attachments[0];
    assert_eq!(
        (picture.content_type.as_str(), picture.name.as_deref()),
        ("image/png", Some("receipt.png"))
    );
    // An <img> has no way to show a token: the address itself is the key.
    let address = picture.content_url.as_ref().unwrap();
    let got = reqwest::get(address).await.unwrap();
    assert_eq!(got.status(), StatusCode::OK);
    let header = |name: &str| got.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "image/png");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(
        header("content-disposition"),
        "inline; filename=\"receipt.png\"; filename*=UTF-8''receipt.png"
    );
    assert_eq!(header("content-security-policy"), "default-src 'none'; sandbox");
    assert_eq!(got.bytes().await.unwrap(), PNG);
    let text = reqwest::get(shown.attachments[1].content_url.as_ref().unwrap())
        .await
        .unwrap();
    assert!(
        text.headers()["content-disposition"]
            .to_str()
            .unwrap()
            .starts_with("attachment; ")
    );

    for changed in [
        address.replace("&t=", "&t=x"),
        address.replace("e=", "e=9"),
        address.split("&t=").next().unwrap().into(),
    ] {
        let refused = reqwest::get(&changed).await.unwrap().status();
        assert!(refused.is_client_error(), "{changed}");
    }

    let message = desk.messages(conversation.id).await.pop().unwrap();
    let Body::Files { text, words, files } = message.body else {
        panic!("files");
    };
    assert_eq!(text, "The receipt\n[image/png] receipt.png\n[text/plain] list.txt");
    assert_eq!(
        (words.as_str(), files.len(), files[0].size),
        ("The receipt", 2, Some(u32::try_from(PNG.len()).unwrap()))
    );
    let path = format!("/v1/files/{}", id_of(&files[0]));
    let get = |token: String| world.api.request(Method::GET, &path).bearer_auth(token).send();
    let got = get(desk.session.access_token.clone()).await.unwrap();
    assert_eq!(
        (got.status(), got.bytes().await.unwrap().as_ref()),
        (StatusCode::OK, PNG)
    );
    let colleague = world.desk("colleague").await;
    let got = get(colleague.session.access_token.clone()).await.unwrap();
    assert_eq!(
        got.status(),
        StatusCode::FORBIDDEN,
        "it belongs to a colleague's conversation"
    );
    assert_eq!(
        get(page.started.token.clone()).await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );
    let refused: Result<FileLink, Problem> = colleague.post(&format!("{path}/link"), json!({})).await;
    assert_eq!(refused.refused().code, ErrorCode::NotYourConversation);
    let link: FileLink = desk.post(&format!("{path}/link"), json!({})).await.unwrap();
    assert_eq!(reqwest::get(&link.url).await.unwrap().bytes().await.unwrap(), PNG);
}

#[tokio::test]
async fn one_file_may_be_the_whole_body() {
    let world = World::start().await;
    let page = world.api.page().await;
    let answer = world
        .api
        .request(Method::POST, &format!("{}?userId=ada", upload_path(&page)))
        .bearer_auth(&page.started.token)
        .header("content-type", "image/png")
        .header("content-disposition", "name=\"file\"; filename=\"../../badjpg.png\"")
        .body(PNG)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let history = page.history().await;
    assert_eq!(history[0].from.id, "ada");
    assert_eq!(
        (history[0].text.as_ref(), history[0].attachments[0].name.as_deref()),
        (None, Some("badjpg.png"))
    );
    let (_socket, inbox) = world.desk("agent").await.listen().await;
    assert_eq!(inbox[0].last_text, "[image/png] badjpg.png");
}

#[tokio::test]
async fn an_activity_may_hold_its_files() {
    let world = World::start().await;
    let page = world.api.page().await;
    let data = format!("data:image/png;base64,{}", STANDARD.encode(PNG));
    let with = |url: &str| {
        json!({ "type": "message", "from": { "id": "me" },
            "attachments": [{ "contentType": "image/png", "contentUrl": url, "name": "a.png" }] })
    };
    page.activity(with(&data)).await.unwrap();
    page.activity(with("https://files.example.com/a.png")).await.unwrap();
    let history = page.history().await;
    let address = history[0].attachments[0].content_url.as_ref().unwrap();
    assert!(address.starts_with(&world.api.url), "it is kept here: {address}");
    assert_eq!(reqwest::get(address).await.unwrap().bytes().await.unwrap(), PNG);
    assert_eq!(
        history[1].attachments[0].content_url.as_deref(),
        Some("https://files.example.com/a.png")
    );
    for url in [
        "http://files.example.com/a.png",
        "javascript:alert(1)",
        "file:///etc/passwd",
    ] {
        assert_eq!(
            page.activity(with(url)).await.refused().code,
            ErrorCode::FileRefused,
            "{url}"
        );
    }
    let page_in_it = format!("data:text/html;base64,{}", STANDARD.encode("<script>alert(1)</script>"));
    assert_eq!(
        page.activity(with(&page_in_it)).await.refused().code,
        ErrorCode::FileRefused
    );
    assert_eq!(page.history().await.len(), 2);
}

#[tokio::test]
async fn what_is_not_taken_is_refused_in_their_words_and_ours() {
    let world = World::start().await;
    let page = world.api.page().await;
    let refused = async |parts: &[(Option<&str>, &str, &[u8])]| {
        let (status, body) = upload(&page, parts).await.unwrap_err();
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (
            status.as_u16(),
            word(&body["code"]),
            word(&body["error"]["code"]),
            word(&body["error"]["message"]),
        )
    };
    let svg: &[u8] = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>";
    for (kind, content) in [
        ("image/svg+xml", svg),
        ("text/html", b"<script></script>"),
        ("image/png", svg),
        ("application/x-msdownload", b"MZ"),
    ] {
        let (status, ours, theirs, message) = refused(&[(Some("a.bin"), kind, content)]).await;
        assert_eq!(
            (status, ours.as_str(), theirs.as_str()),
            (415, "file_refused", "NotSupported"),
            "{kind}"
        );
        assert!(message.starts_with("a.bin is of a kind"), "{message}");
    }
    let large = vec![b'a'; 4 * 1024 * 1024 + 1];
    let (status, ours, theirs, message) = refused(&[(Some("long.txt"), "text/plain", &large)]).await;
    assert_eq!(
        (status, ours.as_str(), theirs.as_str()),
        (413, "file_too_large", "MessageSizeTooBig")
    );
    assert_eq!(message, "long.txt is larger than 4 MB.");
    let four: [(Option<&str>, &str, &[u8]); 5] = [(Some("a.txt"), "text/plain", &large[1..]); 5];
    assert_eq!(refused(&four).await.0, 413, "together they are too large");
    let eleven: [(Option<&str>, &str, &[u8]); 11] = [(Some("a.txt"), "text/plain", b"a"); 11];
    assert_eq!(refused(&eleven).await.1, "file_too_large");
    assert_eq!(refused(&[]).await.2, "BadArgument");
    let typing = activity(&json!({ "type": "typing" }));
    let (status, _, _, message) = refused(&[(None, ACTIVITY, &typing), (Some("a.png"), "image/png", PNG)]).await;
    assert_eq!((status, message.as_str()), (400, "Files belong to a message."));
    assert!(page.history().await.is_empty(), "nothing of it was kept");

    let other = world.api.page().await;
    let foreign = world
        .api
        .request(Method::POST, &upload_path(&page))
        .bearer_auth(&other.started.token)
        .header("content-type", "image/png")
        .body(PNG)
        .send()
        .await
        .unwrap();
    assert_eq!(foreign.status(), StatusCode::NOT_FOUND, "another page's token");
    let nobody = world
        .api
        .request(Method::POST, &upload_path(&page))
        .body(PNG)
        .send()
        .await
        .unwrap();
    assert_eq!(nobody.status(), StatusCode::FORBIDDEN);
    let told: Value = nobody.json().await.unwrap();
    assert_eq!(told["error"]["code"], "TokenExpired");
}

#[tokio::test]
async fn files_outlive_a_restart() {
    let mut world = World::start().await;
    let (desk, page, conversation) = world.active().await;
    upload(&page, &[(Some("a.png"), "image/png", PNG)]).await.unwrap();
    let before = page.history().await[1].attachments[0].content_url.clone().unwrap();
    world.restart().await;
    assert_eq!(reqwest::get(&before).await.unwrap().bytes().await.unwrap(), PNG);
    let message = desk.messages(conversation.id).await.pop().unwrap();
    assert!(matches!(message.body, Body::Files { .. }));
}
