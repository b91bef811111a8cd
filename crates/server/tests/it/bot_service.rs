//! A Direct Line service of our own invention with a bot behind it: it keeps what it is told, says what the test wants,
//! and fails the way the test wants. It asks for the right token, repeats activities after a reconnect, and sends our own
//! back, as the real one does.

use axum::{
    Json, Router,
    extract::{
        Path, Query, State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use sightline_server::Deployment;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::{Notify, broadcast},
    time::timeout,
};
use uuid::Uuid;

/// Nothing here takes longer, unless it is broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where the deployment finds the service's secret, and what stands there in every test.
const SECRET: &str = env!("CARGO_PKG_NAME");

#[derive(Default)]
struct Kept {
    /// Activities by conversation, in order.
    talks: HashMap<String, Vec<Value>>,
    /// Tokens that are good, with their conversation.
    tokens: HashMap<String, String>,
    /// What every request is answered with, instead.
    fault: Option<u16>,
    /// So many activities are taken and answered with 500 all the same.
    lost_answers: usize,
    without_streams: bool,
    expires_in: Option<u32>,
    counts: HashMap<&'static str, usize>,
}

struct Service {
    address: std::net::SocketAddr,
    kept: Mutex<Kept>,
    came: Notify,
    /// `None` breaks every stream.
    spoken: broadcast::Sender<Option<String>>,
}

pub struct BotService(Arc<Service>);

impl BotService {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let service = Arc::new(Service {
            address: listener.local_addr().unwrap(),
            kept: Mutex::default(),
            came: Notify::new(),
            spoken: broadcast::channel(64).0,
        });
        let base = "/v3/directline";
        let app = Router::new()
            .route(&format!("{base}/tokens/generate"), post(generate))
            .route(&format!("{base}/tokens/refresh"), post(refresh))
            .route(&format!("{base}/conversations"), post(begin))
            .route(&format!("{base}/conversations/{{id}}"), get(again))
            .route(&format!("{base}/conversations/{{id}}/activities"), post(take).get(give))
            .route("/stream/{id}", get(stream))
            .with_state(service.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self(service)
    }

    /// The deployment's file with this bot in front of the web chat.
    pub fn deployment(&self, more: &str) -> Deployment {
        Deployment::parse(&format!(
            "[connectors.helper]\nkind = \"direct-line\"\nbase = \"http://{}\"\ndirect_line_secret = \"env:CARGO_PKG_NAME\"\nbot_name = \"Helper\"\n{more}\n",
            self.0.address
        ))
        .unwrap()
    }

    /// The bot says something in its newest conversation.
    pub fn says(&self, activity: Value) {
        let talk = self.newest();
        self.says_in(&talk, activity);
    }

    fn says_in(&self, talk: &str, mut activity: Value) {
        activity["from"] = json!({ "id": "bot-1", "name": "Kettle bot", "role": "bot" });
        add(&self.0, talk, activity);
    }

    /// Words.
    pub fn writes(&self, text: &str) {
        self.says(json!({ "type": "message", "text": text }));
    }

    /// Every activity of ours so far.
    pub fn heard(&self) -> Vec<Value> {
        let kept = self.0.kept.lock().unwrap();
        let ours = |activity: &&Value| activity["from"]["id"] == "dl_sightline";
        kept.talks.values().flatten().filter(ours).cloned().collect()
    }

    /// Waits for so many activities of this kind.
    pub async fn hears(&self, kind: &str, count: usize) -> Vec<Value> {
        let all = || -> Vec<Value> { self.heard().into_iter().filter(|a| a["type"] == kind).collect() };
        self.until(&format!("{count} of {kind}"), || {
            Some(all()).filter(|all| all.len() >= count)
        })
        .await
    }

    /// Waits for something.
    pub async fn until<T>(&self, what: &str, found: impl Fn() -> Option<T>) -> T {
        let waiting = async {
            loop {
                let came = self.0.came.notified();
                if let Some(found) = found() {
                    return found;
                }
                came.await;
            }
        };
        let found = timeout(PATIENCE, waiting).await;
        found.unwrap_or_else(|_| panic!("the bot does not see {what}; it heard {:?}", self.heard()))
    }

    /// How often something was asked: `begin`, `again`, `refresh`, `poll`, `stream`.
    pub fn count(&self, what: &'static str) -> usize {
        self.0
            .kept
            .lock()
            .unwrap()
            .counts
            .get(what)
            .copied()
            .unwrap_or_default()
    }

    pub async fn counts(&self, what: &'static str, least: usize) {
        self.until(what, || (self.count(what) >= least).then_some(())).await;
    }

    /// Everything is answered so, or as usual again.
    pub fn fails(&self, fault: Option<u16>) {
        self.0.kept.lock().unwrap().fault = fault;
    }

    /// The next activities are taken, and nobody hears that they were.
    pub fn loses_answers(&self, count: usize) {
        self.0.kept.lock().unwrap().lost_answers = count;
    }

    pub fn without_streams(&self) {
        self.0.kept.lock().unwrap().without_streams = true;
    }

    pub fn tokens_last(&self, seconds: u32) {
        self.0.kept.lock().unwrap().expires_in = Some(seconds);
    }

    pub fn breaks_streams(&self) {
        let _ = self.0.spoken.send(None);
    }

    fn newest(&self) -> String {
        let kept = self.0.kept.lock().unwrap();
        kept.talks.keys().max().expect("a conversation").clone()
    }
}

fn add(service: &Service, talk: &str, mut activity: Value) -> String {
    let mut kept = service.kept.lock().unwrap();
    let activities = kept.talks.get_mut(talk).expect("a known conversation");
    let id = format!("{talk}|{:07}", activities.len() + 1);
    activity["id"] = json!(id);
    activity["conversation"] = json!({ "id": talk });
    activities.push(activity);
    drop(kept);
    let _ = service.spoken.send(Some(talk.to_owned()));
    service.came.notify_waiters();
    id
}

fn count(service: &Service, what: &'static str) {
    *service.kept.lock().unwrap().counts.entry(what).or_default() += 1;
    service.came.notify_waiters();
}

/// The fault of the test, or a wrong bearer.
fn refused(service: &Service, headers: &HeaderMap, talk: Option<&str>) -> Option<Response> {
    let kept = service.kept.lock().unwrap();
    if let Some(fault) = kept.fault {
        let body = json!({ "error": { "code": "ServiceError", "message": "as the test wants it" } });
        return Some((StatusCode::from_u16(fault).unwrap(), Json(body)).into_response());
    }
    let bearer = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let bearer = bearer.strip_prefix("Bearer ").unwrap_or_default();
    let good = match talk {
        None => bearer == SECRET,
        Some(talk) => kept.tokens.get(bearer).is_some_and(|of| of == talk),
    };
    let body = json!({ "error": { "code": "TokenExpired", "message": "not this one" } });
    (!good).then(|| (StatusCode::FORBIDDEN, Json(body)).into_response())
}

fn opened(service: &Service, talk: &str, mark: &str, old: Option<&str>) -> Value {
    let mut kept = service.kept.lock().unwrap();
    if let Some(old) = old {
        kept.tokens.remove(old);
    }
    let token = Uuid::new_v4().to_string();
    kept.tokens.insert(token.clone(), talk.to_owned());
    let mut answer = json!({ "conversationId": talk, "token": token, "expires_in": kept.expires_in.unwrap_or(1800) });
    if !kept.without_streams {
        answer["streamUrl"] = json!(format!("ws://{}/stream/{talk}?watermark={mark}", service.address));
    }
    answer
}

async fn generate(State(service): State<Arc<Service>>, headers: HeaderMap) -> Response {
    refused(&service, &headers, None)
        .unwrap_or_else(|| Json(json!({ "conversationId": "x", "token": "y" })).into_response())
}

async fn refresh(State(service): State<Arc<Service>>, headers: HeaderMap) -> Response {
    let old = headers["authorization"]
        .to_str()
        .unwrap()
        .trim_start_matches("Bearer ")
        .to_owned();
    let talk = service.kept.lock().unwrap().tokens.get(&old).cloned();
    match (talk, refused(&service, &headers, None)) {
        (Some(talk), _) => {
            // What was renewed is good for nothing any more, so that nobody goes on with it unseen.
            let answer = opened(&service, &talk, "", Some(&old));
            count(&service, "refresh");
            Json(answer).into_response()
        }
        (None, refused) => refused.unwrap_or_else(|| StatusCode::FORBIDDEN.into_response()),
    }
}

async fn begin(State(service): State<Arc<Service>>, headers: HeaderMap) -> Response {
    if let Some(refused) = refused(&service, &headers, None) {
        count(&service, "begin");
        return refused;
    }
    let talk = {
        let mut kept = service.kept.lock().unwrap();
        let talk = format!("talk-{:03}", kept.talks.len() + 1);
        kept.talks.insert(talk.clone(), Vec::new());
        talk
    };
    let answer = opened(&service, &talk, "", None);
    count(&service, "begin");
    (StatusCode::CREATED, Json(answer)).into_response()
}

#[derive(serde::Deserialize)]
struct Since {
    #[serde(default)]
    watermark: String,
}

async fn again(
    State(service): State<Arc<Service>>,
    Path(talk): Path<String>,
    Query(since): Query<Since>,
    headers: HeaderMap,
) -> Response {
    count(&service, "again");
    if let Some(refused) = refused(&service, &headers, None) {
        return refused;
    }
    Json(opened(&service, &talk, &since.watermark, None)).into_response()
}

async fn take(
    State(service): State<Arc<Service>>,
    Path(talk): Path<String>,
    headers: HeaderMap,
    Json(activity): Json<Value>,
) -> Response {
    if let Some(refused) = refused(&service, &headers, Some(&talk)) {
        return refused;
    }
    let lost = {
        let mut kept = service.kept.lock().unwrap();
        let lost = kept.lost_answers > 0;
        kept.lost_answers = kept.lost_answers.saturating_sub(1);
        lost
    };
    let id = add(&service, &talk, activity);
    match lost {
        true => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        false => Json(json!({ "id": id })).into_response(),
    }
}

fn set(service: &Service, talk: &str, after: usize) -> (Value, usize) {
    let kept = service.kept.lock().unwrap();
    let activities = &kept.talks[talk];
    let all = activities.len();
    (
        json!({ "activities": activities[after.min(all)..], "watermark": all.to_string() }),
        all,
    )
}

async fn give(
    State(service): State<Arc<Service>>,
    Path(talk): Path<String>,
    Query(since): Query<Since>,
    headers: HeaderMap,
) -> Response {
    count(&service, "poll");
    if let Some(refused) = refused(&service, &headers, Some(&talk)) {
        return refused;
    }
    Json(set(&service, &talk, since.watermark.parse().unwrap_or(0)).0).into_response()
}

async fn stream(
    State(service): State<Arc<Service>>,
    Path(talk): Path<String>,
    Query(since): Query<Since>,
    upgrade: WebSocketUpgrade,
) -> Response {
    // One that was said before is said again, as after many a reconnect.
    let after = since.watermark.parse::<usize>().unwrap_or(0).saturating_sub(1);
    upgrade.on_upgrade(move |socket| speak(service, talk, after, socket))
}

async fn speak(service: Arc<Service>, talk: String, mut after: usize, mut socket: WebSocket) {
    let mut spoken = service.spoken.subscribe();
    count(&service, "stream");
    loop {
        let (frame, all) = set(&service, &talk, after);
        if all > after {
            after = all;
            if socket.send(Message::text(frame.to_string())).await.is_err() {
                return;
            }
        }
        tokio::select! {
            signal = spoken.recv() => if !matches!(signal, Ok(Some(_))) { return },
            frame = socket.recv() => if !matches!(frame, Some(Ok(_))) { return },
        }
    }
}
