//! A platform of our own invention, at the other end of the signed webhook: it signs what it says, keeps what it is told,
//! and answers as the test wants it to.

use crate::harness::World;
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use sightline_connect::{Request, Secret, generic::SIGNATURE};
use sightline_server::{Deployment, ServerConfig};
use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{net::TcpListener, sync::Notify, time::timeout};

/// Nothing here takes longer, unless it is broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the platform answers to one call.
#[derive(Debug, Clone)]
pub struct Says(pub u16, pub Vec<(&'static str, String)>, pub Value);

impl Says {
    pub fn status(status: u16) -> Self {
        Self(status, Vec::new(), json!({}))
    }
}

#[derive(Default)]
struct Heard {
    calls: Mutex<Vec<Value>>,
    next: Mutex<VecDeque<Says>>,
    came: Notify,
    unsigned: Mutex<Vec<String>>,
}

pub struct Platform {
    heard: Arc<Heard>,
    address: SocketAddr,
}

/// A platform at an address, as it stands in the deployment's file.
pub fn table(name: &str, address: SocketAddr) -> String {
    format!(
        "[connectors.{name}]\nkind = \"webhook\"\nurl = \"http://{address}/in\"\nsecret = \"env:CARGO_PKG_NAME\"\n\
         calls_per_second = 1000\n"
    )
}

impl Platform {
    pub async fn start() -> Self {
        let heard = Arc::new(Heard::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().fallback(hear).with_state(heard.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { heard, address }
    }

    /// The deployment's file with this platform as the connector `shop`.
    pub fn deployment(&self) -> Deployment {
        Deployment::parse(&table("shop", self.address)).unwrap()
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn configure(&self) -> impl FnOnce(&mut ServerConfig) {
        let deployment = self.deployment();
        move |config| config.deployment = deployment
    }

    /// The next calls are answered so; all others with 200.
    pub fn will_say(&self, answers: impl IntoIterator<Item = Says>) {
        self.heard.next.lock().unwrap().extend(answers);
    }

    /// Every call so far, as it was said.
    pub fn calls(&self) -> Vec<Value> {
        assert_eq!(
            *self.heard.unsigned.lock().unwrap(),
            Vec::<String>::new(),
            "every call is signed"
        );
        self.heard.calls.lock().unwrap().clone()
    }

    /// The calls of one type.
    pub fn calls_of(&self, kind: &str) -> Vec<Value> {
        self.calls().into_iter().filter(|call| call["type"] == kind).collect()
    }

    /// Waits until there are so many of one type.
    pub async fn hears(&self, kind: &str, count: usize) -> Vec<Value> {
        let enough = async {
            loop {
                let came = self.heard.came.notified();
                let calls = self.calls_of(kind);
                if calls.len() >= count {
                    return calls;
                }
                came.await;
            }
        };
        timeout(PATIENCE, enough)
            .await
            .unwrap_or_else(|_| panic!("not {count} x {kind}: {:?}", self.calls()))
    }

    /// Says something, signed now.
    pub async fn say(&self, world: &World, notice: &Value) -> StatusCode {
        let body = notice.to_string();
        let headers = signed(world, &body, now());
        send(world, body, headers).await
    }

    /// A customer writes.
    pub async fn customer_writes(&self, world: &World, thread: &str, id: &str, text: &str) {
        let notice = json!({ "type": "message", "thread": thread, "id": id, "text": text,
                             "from": { "address": format!("+4915550{thread}"), "name": "Ada Moreno" } });
        assert_eq!(self.say(world, &notice).await, StatusCode::OK);
    }
}

async fn hear(State(heard): State<Arc<Heard>>, headers: HeaderMap, body: Bytes) -> Response {
    let list: Vec<(String, String)> = headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    let request = Request {
        method: "POST",
        url: "",
        headers: &list,
        body: &body,
        at: now(),
    };
    if let Err(reject) = SIGNATURE.verify(&[secret()], &request) {
        heard.unsigned.lock().unwrap().push(reject.to_string());
    }
    let call: Value = serde_json::from_slice(&body).unwrap();
    let answer = heard.next.lock().unwrap().pop_front().unwrap_or_else(|| {
        let id = call["id"].as_str().map(|id| format!("theirs-{id}"));
        Says(200, Vec::new(), json!({ "id": id }))
    });
    heard.calls.lock().unwrap().push(call);
    heard.came.notify_waiters();
    let mut response = (StatusCode::from_u16(answer.0).unwrap(), axum::Json(answer.2)).into_response();
    for (name, value) in answer.1 {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

/// Both sides know it from a variable that cargo sets for every test.
pub fn secret() -> Secret {
    Secret::new(std::env::var("CARGO_PKG_NAME").unwrap())
}

pub fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// The headers that sign a body at a time.
pub fn signed(world: &World, body: &str, at: i64) -> Vec<(&'static str, String)> {
    SIGNATURE.sign(&secret(), &hook(world), body.as_bytes(), at)
}

pub fn hook(world: &World) -> String {
    format!("{}/v1/hooks/shop", world.api.url)
}

pub async fn send(world: &World, body: String, headers: Vec<(&'static str, String)>) -> StatusCode {
    send_to(world, "shop", body, headers).await
}

pub async fn send_to(world: &World, connector: &str, body: String, headers: Vec<(&'static str, String)>) -> StatusCode {
    let path = format!("/v1/hooks/{connector}");
    let mut request = world.api.request(reqwest::Method::POST, &path).body(body);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.send().await.unwrap().status()
}
