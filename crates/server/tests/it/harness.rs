//! A served instance with a database of its own, and clients for it.

use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use sightline_server::{Deployment, NewAccount, RoutingMode, RunningServer, Secret, ServerConfig, serve};
use sightline_wire::{
    ErrorCode, Problem,
    account::{Role, Session},
    agent::{AgentEvent, AgentRequest, DESK_ORIGIN},
    conversation::{Conversation, Message},
    directline::{Activity, ActivitySet, ConversationStarted, ResourceResponse, SightlineData},
    escalation::{Redeemed, VideoStarted, Warmed},
    ids::{ConversationId, DeskId},
    readiness::ReadinessPolicy,
    room::{RoomEvent, RoomRequest},
};
use std::{collections::VecDeque, net::SocketAddr, path::PathBuf, time::Duration};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message as Frame, client::IntoClientRequest, protocol::CloseFrame},
};
use uuid::Uuid;

/// Nothing here takes longer, unless it is broken.
const PATIENCE: Duration = Duration::from_secs(10);

/// A folder that goes away with the test.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("sightline-server-{}", Uuid::new_v4()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn database(&self) -> PathBuf {
        self.0.join("sightline.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A password of this run.
pub fn password() -> String {
    Uuid::new_v4().to_string()
}

pub struct World {
    pub folder: Folder,
    pub password: String,
    pub api: Api,
    readiness: ReadinessPolicy,
    routing: RoutingMode,
    pub deployment: Deployment,
    server: Option<RunningServer>,
}

/// Answers that hold secrets cannot be printed, so `unwrap_err` is not for them.
pub trait Answer {
    /// The problem that was expected.
    fn refused(self) -> Problem;
}

impl<T> Answer for Result<T, Problem> {
    fn refused(self) -> Problem {
        self.err().expect("it was granted")
    }
}

/// Where a server is, and an HTTP client for it.
#[derive(Clone)]
pub struct Api {
    pub url: String,
    http: reqwest::Client,
}

impl World {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut ServerConfig)) -> Self {
        let (folder, password) = (Folder::new(), password());
        let mut config = config(&folder, &password);
        change(&mut config);
        let (readiness, routing) = (config.readiness.clone(), config.routing.clone());
        let deployment = config.deployment.clone();
        let server = serve(config).await.unwrap();
        let api = Api::new(&server.url);
        Self {
            folder,
            password,
            api,
            readiness,
            routing,
            deployment,
            server: Some(server),
        }
    }

    /// Why a server with these settings does not start.
    pub async fn refuses(change: impl FnOnce(&mut ServerConfig)) -> String {
        let (folder, password) = (Folder::new(), password());
        let mut config = config(&folder, &password);
        change(&mut config);
        match serve(config).await {
            Ok(_) => panic!("it starts"),
            Err(error) => error.to_string(),
        }
    }

    /// The same server again, at the same address, over the same database.
    pub async fn restart(&mut self) {
        let server = self.server.take().unwrap();
        let address = server.address;
        server.shutdown().await;
        let mut config = config(&self.folder, &self.password);
        config.bind = address;
        config.readiness = self.readiness.clone();
        config.routing = self.routing.clone();
        config.deployment = self.deployment.clone();
        self.server = Some(serve(config).await.unwrap());
    }

    /// Signs somebody in: `agent`, `colleague`, `supervisor` or `admin`.
    pub async fn desk(&self, name: &str) -> Desk {
        let session = self.api.sign_in(name, &self.password).await.unwrap();
        Desk {
            api: self.api.clone(),
            session,
        }
    }

    /// A customer who has written, and the agent who has accepted.
    pub async fn active(&self) -> (Desk, Page, Conversation) {
        let desk = self.desk("agent").await;
        let page = self.api.page().await;
        page.say("Hello").await;
        let conversation = desk.accept_newest().await;
        (desk, page, conversation)
    }
}

fn config(folder: &Folder, password: &str) -> ServerConfig {
    let mut config = ServerConfig::new(SocketAddr::from(([127, 0, 0, 1], 0)), folder.database());
    config.company = "Kettle and Co".into();
    // Only the tests of readiness ask for a self-test first.
    config.readiness.required = false;
    config.first_accounts = [
        ("agent", Role::Agent),
        ("colleague", Role::Agent),
        ("supervisor", Role::Supervisor),
        ("admin", Role::Admin),
    ]
    .map(|(name, role)| NewAccount {
        email: format!("{name}@example.test"),
        name: name.to_string(),
        role,
        password: Some(Secret::new(password)),
    })
    .into();
    config
}

impl Api {
    pub fn new(url: &str) -> Self {
        Self {
            url: url.into(),
            http: reqwest::Client::new(),
        }
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    /// Sends JSON, and reads the answer or the problem, whose status must be the code's own.
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> Result<T, Problem> {
        let mut request = self.request(method, path);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        if status.is_success() {
            let text = if text.is_empty() { "null" } else { &text };
            return Ok(serde_json::from_str(text).unwrap());
        }
        let problem: Problem = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status}: {text}"));
        assert_eq!(status.as_u16(), problem.code.status(), "{problem:?}");
        Err(problem)
    }

    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: Value) -> Result<T, Problem> {
        self.call(Method::POST, path, None, Some(body)).await
    }

    pub async fn sign_in(&self, name: &str, password: &str) -> Result<Session, Problem> {
        let body = json!({ "email": format!("{name}@example.test"), "password": password });
        self.post("/v1/auth/sign-in", body).await
    }

    /// A customer opens the chat.
    pub async fn page(&self) -> Page {
        self.page_with(json!({})).await
    }

    /// The same on a site that has something to say about the customer.
    pub async fn page_with(&self, start: Value) -> Page {
        let started = self.post("/v1/webchat/tokens", start).await.unwrap();
        Page {
            api: self.clone(),
            started,
        }
    }

    pub async fn redeem(&self, code: &str, browser: &str) -> Result<Redeemed, Problem> {
        self.post(&format!("/v1/invites/{code}/redeem"), json!({ "browser_key": browser }))
            .await
    }

    pub async fn warm(&self, code: &str, browser: &str) -> Result<Warmed, Problem> {
        self.post(&format!("/v1/invites/{code}/warm"), json!({ "browser_key": browser }))
            .await
    }

    /// Opens a socket, from a page's origin or without one.
    pub async fn socket(&self, path: &str, origin: Option<&str>) -> Result<Socket, u16> {
        Socket::open(&format!("{}{path}", self.url.replacen("http", "ws", 1)), origin).await
    }

    pub async fn room(&self, token: &str, resume: Option<&str>) -> Socket {
        let mut socket = self.socket("/v1/rooms/socket", Some(DESK_ORIGIN)).await.unwrap();
        let hello = RoomRequest::Hello {
            token: token.into(),
            resume: resume.map(String::from),
        };
        socket.send(&hello).await;
        socket
    }
}

/// A signed-in agent.
pub struct Desk {
    pub api: Api,
    pub session: Session,
}

impl Desk {
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Problem> {
        self.api
            .call(Method::GET, path, Some(&self.session.access_token), None)
            .await
    }

    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: Value) -> Result<T, Problem> {
        self.api
            .call(Method::POST, path, Some(&self.session.access_token), Some(body))
            .await
    }

    pub async fn patch<T: DeserializeOwned>(&self, path: &str, body: Value) -> Result<T, Problem> {
        self.api
            .call(Method::PATCH, path, Some(&self.session.access_token), Some(body))
            .await
    }

    /// Any other request.
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<T, Problem> {
        self.api
            .call(method, path, Some(&self.session.access_token), body)
            .await
    }

    pub async fn conversation(&self, id: ConversationId) -> Conversation {
        self.get(&format!("/v1/conversations/{id}")).await.unwrap()
    }

    pub async fn say(&self, id: ConversationId, client_id: Uuid, text: &str) -> Result<Message, Problem> {
        let body = json!({ "client_id": client_id, "text": text });
        self.post(&format!("/v1/conversations/{id}/messages"), body).await
    }

    pub async fn start_video(&self, id: ConversationId, command: Uuid) -> Result<VideoStarted, Problem> {
        let body = json!({ "command_id": command });
        self.post(&format!("/v1/conversations/{id}/escalations"), body).await
    }

    pub async fn messages(&self, id: ConversationId) -> Vec<Message> {
        let page: sightline_wire::conversation::MessagePage = self
            .get(&format!("/v1/conversations/{id}/messages?after=0&limit=500"))
            .await
            .unwrap();
        assert!(!page.more);
        page.messages
    }

    /// The agent's socket, and the inbox it was welcomed with.
    pub async fn listen(&self) -> (Socket, Vec<Conversation>) {
        let mut socket = self.hello(DeskId(Uuid::new_v4()), true).await;
        let inbox = socket
            .expect("a welcome", |event| match event {
                AgentEvent::Welcome { conversations, .. } => Some(conversations),
                _ => None,
            })
            .await;
        (socket, inbox)
    }

    pub async fn hello(&self, desk: DeskId, take_over: bool) -> Socket {
        let mut socket = self.api.socket("/v1/agent/socket", Some(DESK_ORIGIN)).await.unwrap();
        let access_token = self.session.access_token.clone();
        socket
            .send(&AgentRequest::Hello {
                access_token,
                desk,
                take_over,
            })
            .await;
        socket
    }

    pub async fn accept_newest(&self) -> Conversation {
        let (_socket, inbox) = self.listen().await;
        let newest = inbox.last().unwrap().id;
        self.post(&format!("/v1/conversations/{newest}/accept"), json!({}))
            .await
            .unwrap()
    }

    pub async fn wrap_up_and_close(&self, id: ConversationId) {
        let _: Conversation = self
            .post(&format!("/v1/conversations/{id}/wrap-up"), json!({ "end_call": false }))
            .await
            .unwrap();
        let _: Conversation = self
            .post(
                &format!("/v1/conversations/{id}/close"),
                json!({ "disposition": "done" }),
            )
            .await
            .unwrap();
    }
}

/// A customer's web chat.
pub struct Page {
    pub api: Api,
    pub started: ConversationStarted,
}

impl Page {
    pub async fn activity(&self, activity: Value) -> Result<ResourceResponse, Problem> {
        let path = format!(
            "/v3/directline/conversations/{}/activities",
            self.started.conversation_id
        );
        self.api
            .call(Method::POST, &path, Some(&self.started.token), Some(activity))
            .await
    }

    pub async fn say(&self, text: &str) -> String {
        let activity = json!({ "type": "message", "text": text, "from": { "id": "me" } });
        self.activity(activity).await.unwrap().id
    }

    /// Everything the page has seen.
    pub async fn history(&self) -> Vec<Activity> {
        let path = format!(
            "/v3/directline/conversations/{}/activities",
            self.started.conversation_id
        );
        let set: ActivitySet = self
            .api
            .call(Method::GET, &path, Some(&self.started.token), None)
            .await
            .unwrap();
        set.activities
    }

    /// The live stream, from a watermark.
    pub async fn stream(&self, watermark: &str) -> Socket {
        let id = &self.started.conversation_id;
        let path = format!("/v3/directline/conversations/{id}?watermark={watermark}");
        let started: ConversationStarted = self
            .api
            .call(Method::GET, &path, Some(&self.started.token), None)
            .await
            .unwrap();
        Socket::open(&started.stream_url.unwrap(), None).await.unwrap()
    }

    /// Waits for the invite and answers its code.
    pub async fn invite(&self) -> String {
        let mut stream = self.stream("0").await;
        stream
            .expect("an invite", |set: ActivitySet| {
                set.activities.iter().find_map(|activity| match sightline(activity)? {
                    SightlineData::Invite { code, .. } => Some(code),
                    SightlineData::Event { .. } => None,
                })
            })
            .await
    }
}

/// Our own part of an activity.
pub fn sightline(activity: &Activity) -> Option<SightlineData> {
    let data = activity.channel_data.as_ref()?.get("sightline")?;
    Some(serde_json::from_value(data.clone()).unwrap())
}

/// A browser's key.
pub fn browser() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

/// A WebSocket that never waits for ever.
pub struct Socket {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    seen: VecDeque<String>,
}

impl Socket {
    pub async fn open(url: &str, origin: Option<&str>) -> Result<Self, u16> {
        let mut request = url.into_client_request().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Self {
                socket,
                seen: VecDeque::new(),
            }),
            Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{url}: {error}"),
        }
    }

    pub async fn send(&mut self, frame: &impl Serialize) {
        self.send_text(&serde_json::to_string(frame).unwrap()).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        self.socket.send(Frame::text(text)).await.unwrap();
    }

    /// The next frame, or the close code.
    pub async fn next<T: DeserializeOwned>(&mut self) -> Result<T, u16> {
        loop {
            let frame = timeout(PATIENCE, self.socket.next())
                .await
                .unwrap_or_else(|_| panic!("nothing came; before: {:?}", self.seen));
            match frame {
                Some(Ok(Frame::Text(text))) => {
                    self.seen.push_back(text.to_string());
                    if self.seen.len() > 20 {
                        self.seen.pop_front();
                    }
                    return Ok(serde_json::from_str(&text).unwrap());
                }
                Some(Ok(Frame::Close(close))) => {
                    return Err(close.map_or(0, |CloseFrame { code, .. }| code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(0),
            }
        }
    }

    /// The first frame that `pick` takes.
    pub async fn expect<T: DeserializeOwned, R>(&mut self, what: &str, mut pick: impl FnMut(T) -> Option<R>) -> R {
        let search = async {
            loop {
                match self.next().await {
                    Ok(frame) => {
                        if let Some(found) = pick(frame) {
                            return found;
                        }
                    }
                    Err(code) => panic!("closed with {code} before {what}; before: {:?}", self.seen),
                }
            }
        };
        timeout(PATIENCE, search)
            .await
            .unwrap_or_else(|_| panic!("{what} did not come"))
    }

    /// Reads until the socket closes, and answers with what code.
    pub async fn closed(&mut self) -> u16 {
        let search = async {
            loop {
                if let Err(code) = self.next::<Value>().await {
                    return code;
                }
            }
        };
        timeout(PATIENCE, search).await.expect("the socket did not close")
    }

    /// Whether nothing follows the goodbye, not even an error.
    pub async fn ends_in_peace(&mut self) -> bool {
        let last = timeout(PATIENCE, self.socket.next())
            .await
            .expect("the connection stayed open");
        last.is_none()
    }

    /// The problem that comes next.
    pub async fn problem(&mut self) -> ErrorCode {
        self.expect("a problem", |frame: Value| {
            (frame["type"] == "problem").then(|| serde_json::from_value(frame["code"].clone()).unwrap())
        })
        .await
    }

    pub async fn room_event<R>(&mut self, what: &str, pick: impl FnMut(RoomEvent) -> Option<R>) -> R {
        self.expect(what, pick).await
    }

    pub async fn agent_event<R>(&mut self, what: &str, pick: impl FnMut(AgentEvent) -> Option<R>) -> R {
        self.expect(what, pick).await
    }

    /// Goes away without a word, as a killed tab does.
    pub fn vanish(self) {
        drop(self.socket);
    }

    /// Stays connected and says nothing more.
    pub fn hold(self) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
        self.socket
    }
}
