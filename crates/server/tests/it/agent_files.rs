//! Files that agents send: acknowledged once they are kept, under the same rules as customers', and only where the customer
//! has a page that shows them.

use crate::{
    harness::{Answer, Desk, World},
    platform::Platform,
};
use reqwest::{Method, StatusCode};
use sightline_server::Deployment;
use sightline_wire::{
    ErrorCode, MAX_FILE_BYTES, Problem,
    conversation::{AgentFiles, Author, Body, FilePlace, Message},
    ids::ConversationId,
};
use uuid::Uuid;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and the rest of a picture";

async fn send(
    desk: &Desk,
    conversation: ConversationId,
    id: Uuid,
    (name, kind): (&str, &str),
    content: impl Into<Vec<u8>>,
) -> Result<Message, Problem> {
    let path = format!("/v1/conversations/{conversation}/files?client_id={id}&name={name}");
    let request = desk
        .api
        .request(Method::POST, &path)
        .bearer_auth(&desk.session.access_token);
    let answer = request
        .header("content-type", kind)
        .body(content.into())
        .send()
        .await
        .unwrap();
    match answer.status().is_success() {
        true => Ok(answer.json().await.unwrap()),
        false => Err(answer.json().await.unwrap()),
    }
}

#[tokio::test]
async fn a_file_is_a_message_that_the_page_shows_and_survives_a_restart() {
    let mut world = World::start().await;
    let (desk, page, conversation) = world.active().await;
    assert_eq!(conversation.agent_files, AgentFiles::Carried);
    let id = Uuid::new_v4();
    let sent = send(
        &desk,
        conversation.id,
        id,
        ("caf%C3%A9%2F..%2Fplan.png", "image/png"),
        PNG,
    )
    .await
    .unwrap();
    assert!(matches!(&sent.author, Author::Agent { name, .. } if name == "agent"));
    let Body::Files { files, text, .. } = &sent.body else {
        panic!("a file")
    };
    assert_eq!(
        (files[0].name.as_str(), text.as_str()),
        ("plan.png", "[image/png] plan.png")
    );
    // Lost answers are asked for again, also after the conversation has moved on and the server was away.
    world.restart().await;
    let desk = world.desk("agent").await;
    desk.wrap_up_and_close(conversation.id).await;
    let again = send(&desk, conversation.id, id, ("plan.png", "image/png"), PNG)
        .await
        .unwrap();
    assert_eq!(again.id, sent.id);
    let other = send(
        &desk,
        conversation.id,
        id,
        ("plan.png", "image/png"),
        b"\x89PNG\r\n\x1a\n another",
    )
    .await;
    assert_eq!(other.refused().code, ErrorCode::MessageIdReused);

    let history = page.history().await;
    let shown: Vec<_> = history.iter().flat_map(|activity| &activity.attachments).collect();
    assert_eq!((shown.len(), shown[0].name.as_deref()), (1, Some("plan.png")));
    let got = reqwest::get(shown[0].content_url.as_ref().unwrap()).await.unwrap();
    let header = |name: &str| got.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "image/png");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("content-security-policy"), "default-src 'none'; sandbox");
    assert_eq!(got.bytes().await.unwrap(), PNG);
    let Some(FilePlace::Here { id: file }) = files[0].place else {
        panic!("it is kept")
    };
    let path = format!("/v1/files/{file}");
    let own = world
        .api
        .request(Method::GET, &path)
        .bearer_auth(&desk.session.access_token);
    assert_eq!(own.send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn what_customers_may_not_send_agents_may_not_either() {
    let world = World::start().await;
    let (desk, page, conversation) = world.active().await;
    let before = page.history().await.len();
    let large = vec![b'a'; MAX_FILE_BYTES + 1];
    for (named, content, code) in [
        (("page.html", "text/html"), b"<script>".to_vec(), ErrorCode::FileRefused),
        (("a.png", "image/png"), b"<script>".to_vec(), ErrorCode::FileRefused),
        (("a.txt", "text/plain"), Vec::new(), ErrorCode::FileRefused),
        (("a.txt", "text/plain"), large, ErrorCode::FileTooLarge),
    ] {
        let refused = send(&desk, conversation.id, Uuid::new_v4(), named, content)
            .await
            .refused();
        assert_eq!(refused.code, code, "{named:?}");
        assert!(!refused.next_step.is_empty());
    }
    let whole = send(
        &desk,
        conversation.id,
        Uuid::new_v4(),
        ("a.txt", "text/plain"),
        vec![b'a'; MAX_FILE_BYTES],
    );
    whole.await.unwrap();
    assert_eq!(page.history().await.len(), before + 1);

    let colleague = world.desk("colleague").await;
    let refused = send(&colleague, conversation.id, Uuid::new_v4(), ("a.png", "image/png"), PNG).await;
    assert_eq!(refused.refused().code, ErrorCode::NotYourConversation);
    let path = format!("/v1/conversations/{}/files", conversation.id);
    let stranger = world
        .api
        .request(Method::POST, &format!("{path}?client_id={}&name=a", Uuid::new_v4()));
    assert_eq!(
        stranger.body(PNG).send().await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );
    let unnamed = world
        .api
        .request(Method::POST, &path)
        .bearer_auth(&desk.session.access_token);
    let unnamed: Problem = unnamed.body(PNG).send().await.unwrap().json().await.unwrap();
    assert_eq!(unnamed.code, ErrorCode::BadRequest);
    desk.wrap_up_and_close(conversation.id).await;
    let refused = send(&desk, conversation.id, Uuid::new_v4(), ("a.png", "image/png"), PNG).await;
    assert_eq!(refused.refused().code, ErrorCode::ConversationClosed);
}

#[tokio::test]
async fn a_platform_or_a_deployment_without_files_says_so_before_anybody_tries() {
    let platform = Platform::start().await;
    let world = World::with(platform.configure()).await;
    platform.customer_writes(&world, "100", "M-1", "Hello").await;
    let desk = world.desk("agent").await;
    let conversation = desk.accept_newest().await;
    assert_eq!(conversation.agent_files, AgentFiles::NotCarried);
    let refused = send(&desk, conversation.id, Uuid::new_v4(), ("a.png", "image/png"), PNG).await;
    assert_eq!(refused.refused().code, ErrorCode::FilesNotCarried);
    assert_eq!(platform.calls_of("message").len(), 0);

    let deployment = Deployment::parse("[web_chat]\nagent_files = false\n").unwrap();
    let world = World::with(|config| config.deployment = deployment).await;
    let (desk, page, conversation) = world.active().await;
    assert_eq!(conversation.agent_files, AgentFiles::TurnedOff);
    let before = page.history().await.len();
    let refused = send(&desk, conversation.id, Uuid::new_v4(), ("a.png", "image/png"), PNG).await;
    assert_eq!(refused.refused().code, ErrorCode::FilesTurnedOff);
    assert_eq!(page.history().await.len(), before);
}
