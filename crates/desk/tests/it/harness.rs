//! A server, desks with a window made of memory, and customers.

use futures_util::{SinkExt, StreamExt};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sightline_desk::{
    Desk, DeskConfig, DeskHandle, ServerSource, Shell,
    keyring::{Keyring, SecretStore, StoreError},
};
use sightline_media::{Frame, Painter, Tile};
use sightline_server::{NewAccount, RunningServer, Secret, ServerConfig, serve};
use sightline_wire::{
    ErrorCode, Problem,
    account::Role,
    connectors::{ConnectorTest, ConnectorView, DeadLetter},
    conversation::{Conversation, ConversationState, Message},
    desk::{
        AssignmentView, AutoVideo, CallPhase, CallView, DeskCommand, DeskEvent, PainterView, PendingMessage,
        SessionView, StageLayout,
    },
    device::{DeviceKind, DeviceList},
    directline::ConversationStarted,
    escalation::Redeemed,
    ids::ConversationId,
    link::EarlierConversation,
    readiness::{BoardRow, Report, SelfTestView},
    room::{RoomEvent, RoomRequest},
    routing::{Handed, MyPresence, Pause, TransferTargets},
};
use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::TcpStream,
    sync::mpsc,
    time::{Instant, timeout, timeout_at},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message as Frames, client::IntoClientRequest, handshake::client::Request},
};
use uuid::Uuid;

/// Nothing here takes longer, unless it is broken.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A folder that goes away with the test.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("sightline-desk-{}", Uuid::new_v4()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A server that can be stopped and started again at the same address.
pub struct World {
    folder: Folder,
    pub password: String,
    pub url: String,
    address: SocketAddr,
    server: Option<RunningServer>,
    change: Box<dyn Fn(&mut ServerConfig) + Send + Sync>,
}

impl World {
    pub async fn start() -> Self {
        Self::with(|_| ()).await
    }

    /// With something else than the usual settings.
    pub async fn with(change: impl Fn(&mut ServerConfig) + Send + Sync + 'static) -> Self {
        let (folder, password) = (Folder::new(), Uuid::new_v4().to_string());
        let mut config = config(&folder.0, &password, SocketAddr::from(([127, 0, 0, 1], 0)));
        change(&mut config);
        let server = serve(config).await.unwrap();
        let address = server.address;
        Self {
            folder,
            password,
            url: format!("http://{address}"),
            address,
            server: Some(server),
            change: Box::new(change),
        }
    }

    pub async fn stop(&mut self) {
        self.server.take().unwrap().shutdown().await;
    }

    pub async fn go_on(&mut self) {
        let mut config = config(&self.folder.0, &self.password, self.address);
        (self.change)(&mut config);
        self.server = Some(serve(config).await.unwrap());
    }

    /// A desk of the agent's, signed in.
    pub async fn desk(&self) -> TestDesk {
        let mut desk = TestDesk::start(&self.url, Folder::new(), MemoryStore::default().keyring());
        desk.sign_in(&self.password).await.unwrap();
        desk.online().await;
        desk
    }

    pub async fn customer(&self, name: &str) -> Customer {
        self.customer_with(json!({ "name": name })).await
    }

    /// A customer whose page says this when it is opened.
    pub async fn customer_with(&self, start: Value) -> Customer {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let start = http.post(format!("{}/v1/webchat/tokens", self.url)).json(&start);
        let started = body(start).await;
        Customer {
            http,
            url: self.url.clone(),
            started,
        }
    }

    /// A customer who has written, and an agent who has accepted and opened the conversation.
    pub async fn chatting(&self) -> (TestDesk, Customer, ConversationId) {
        let mut desk = self.desk().await;
        let (customer, conversation) = self.accepted(&mut desk, "Ana").await;
        (desk, customer, conversation)
    }

    pub async fn accepted(&self, desk: &mut TestDesk, name: &str) -> (Customer, ConversationId) {
        let customer = self.customer(name).await;
        customer.say("Hello").await;
        let waiting = desk
            .until("a waiting conversation", |w| {
                w.conversations
                    .values()
                    .find(|c| c.customer_name == name && c.state == ConversationState::Open)
                    .map(|c| c.id)
            })
            .await;
        desk.command(DeskCommand::Accept { conversation: waiting })
            .await
            .unwrap();
        desk.command(DeskCommand::Open { conversation: waiting }).await.unwrap();
        desk.until("the first message", |w| {
            w.texts(waiting).contains(&"Hello".into()).then_some(())
        })
        .await;
        (customer, waiting)
    }
}

fn config(folder: &Path, password: &str, bind: SocketAddr) -> ServerConfig {
    let mut config = ServerConfig::new(bind, folder.join("server.sqlite"));
    config.company = "Kettle and Co".into();
    // Only the tests of readiness ask for a self-test first.
    config.readiness.required = false;
    config.first_accounts = vec![NewAccount {
        email: "agent@example.test".into(),
        name: "Maria".into(),
        role: Role::Agent,
        password: Some(Secret::new(password)),
    }];
    config
}

/// What the window has been shown, as it would show it.
#[derive(Default)]
pub struct Window {
    pub session: Option<SessionView>,
    pub conversations: HashMap<ConversationId, Conversation>,
    pub threads: HashMap<ConversationId, BTreeMap<i64, Message>>,
    pub pending: Vec<PendingMessage>,
    pub call: Option<CallView>,
    pub typing: Vec<ConversationId>,
    pub devices: Option<DeviceList>,
    pub notices: Vec<Problem>,
    pub asked_to_confirm: usize,
    pub test: SelfTestView,
    pub board: Option<Vec<BoardRow>>,
    pub wall: Option<sightline_wire::wall::WallView>,
    pub reports: Option<Vec<Report>>,
    pub saved: Option<String>,
    pub connectors: Option<Vec<ConnectorView>>,
    pub connector_tests: Vec<(String, ConnectorTest)>,
    pub letters: Option<Vec<DeadLetter>>,
    pub files: Vec<sightline_wire::conversation::FileShown>,
    pub assignment: Option<AssignmentView>,
    /// Everything that was shown of assignments.
    pub assignments: Vec<Option<AssignmentView>>,
    pub presence: Option<MyPresence>,
    pub targets: Option<TransferTargets>,
    pub handed: Vec<Handed>,
    pub why: Option<(ConversationId, sightline_wire::routing::Why)>,
    pub audit: Vec<(Option<i64>, sightline_wire::audit::AuditPage)>,
    pub audit_checks: Vec<sightline_wire::audit::AuditCheck>,
    pub paused: Option<Pause>,
    pub earlier: Vec<(ConversationId, EarlierConversation)>,
    pub auto_video: Option<AutoVideo>,
    /// Everything that was shown of it.
    pub auto_videos: Vec<Option<AutoVideo>>,
}

impl Window {
    pub fn texts(&self, conversation: ConversationId) -> Vec<String> {
        let thread = self.threads.get(&conversation);
        thread
            .into_iter()
            .flat_map(BTreeMap::values)
            .map(|message| message.body.text().to_owned())
            .collect()
    }

    pub fn problem(&self) -> Option<ErrorCode> {
        match self.session.as_ref()? {
            SessionView::SignedOut { problem, .. } => problem.as_ref().map(|problem| problem.code),
            SessionView::Starting | SessionView::SignedIn { .. } => None,
        }
    }

    pub fn phase(&self) -> Option<CallPhase> {
        self.call.as_ref().map(|call| call.phase.clone())
    }

    fn show(&mut self, event: DeskEvent) {
        match event {
            DeskEvent::Session { session } => self.session = Some(session),
            DeskEvent::Inbox { conversations } => {
                self.conversations = conversations.into_iter().map(|c| (c.id, c)).collect();
            }
            DeskEvent::Conversation { conversation } => {
                self.conversations.insert(conversation.id, conversation);
            }
            DeskEvent::Thread { conversation, messages } => {
                self.threads
                    .entry(conversation)
                    .or_default()
                    .extend(messages.into_iter().map(|m| (m.seq, m)));
            }
            DeskEvent::Pending { messages } => self.pending = messages,
            DeskEvent::Typing { conversation, .. } => self.typing.push(conversation),
            DeskEvent::Call { call } => self.call = call,
            DeskEvent::Devices { list } => self.devices = Some(list),
            DeskEvent::Notice { problem } => self.notices.push(problem),
            DeskEvent::Painter { .. } => {}
            DeskEvent::ConfirmClose => self.asked_to_confirm += 1,
            DeskEvent::Screens { .. } | DeskEvent::ConnectorKinds { .. } => {}
            DeskEvent::SelfTest { test } => self.test = test,
            DeskEvent::Board { rows } => self.board = Some(rows),
            DeskEvent::Wall { wall } => self.wall = Some(wall),
            DeskEvent::Connectors { connectors } => self.connectors = Some(connectors),
            DeskEvent::ConnectorTested { connector, test, .. } => self.connector_tests.push((connector, test)),
            DeskEvent::DeadLetters { letters } => self.letters = Some(letters),
            DeskEvent::File(file) => self.files.push(file),
            DeskEvent::Reports { reports, .. } => self.reports = Some(reports),
            DeskEvent::Saved { path } => self.saved = Some(path),
            DeskEvent::Assignment { assignment } => {
                self.assignment.clone_from(&assignment);
                self.assignments.push(assignment);
            }
            DeskEvent::Paused { why } => self.paused = why,
            DeskEvent::Earlier { conversation, earlier } => self.earlier.push((conversation, earlier)),
            DeskEvent::AutoVideo { video } => {
                self.auto_video.clone_from(&video);
                self.auto_videos.push(video);
            }
            DeskEvent::Presence { presence } => self.presence = presence,
            DeskEvent::Targets { targets, .. } => self.targets = Some(targets),
            DeskEvent::Handed { handed } => self.handed.push(handed),
            DeskEvent::Why { conversation, why, .. } => self.why = Some((conversation, why)),
            DeskEvent::Audit { before, page } => self.audit.push((before, page)),
            DeskEvent::AuditChecked { check, .. } => self.audit_checks.push(check),
        }
    }
}

/// What the shell was told besides.
#[derive(Default)]
pub struct Told {
    pub notifications: Mutex<Vec<(String, String)>>,
    pub attention: AtomicUsize,
    pub closed: AtomicUsize,
    pub opened: Mutex<Vec<String>>,
    /// The system has no browser.
    pub no_browser: AtomicBool,
}

struct TestShell {
    events: mpsc::UnboundedSender<DeskEvent>,
    told: Arc<Told>,
}

impl Shell for TestShell {
    fn emit(&self, event: DeskEvent) {
        let _ = self.events.send(event);
    }

    fn notify(&self, title: &str, body: &str) {
        self.told
            .notifications
            .lock()
            .unwrap()
            .push((title.into(), body.into()));
    }

    fn set_attention(&self, unread: usize) {
        self.told.attention.store(unread, Ordering::SeqCst);
    }

    fn open(&self, url: &str) -> bool {
        if self.told.no_browser.load(Ordering::SeqCst) {
            return false;
        }
        self.told.opened.lock().unwrap().push(url.into());
        true
    }

    fn close(&self) {
        self.told.closed.fetch_add(1, Ordering::SeqCst);
    }

    fn painter(&self) -> Arc<dyn Painter> {
        Arc::new(Dark)
    }

    fn painter_view(&self) -> PainterView {
        PainterView::Native
    }

    fn set_layout(&self, _: StageLayout) {}
}

/// A window without a screen.
struct Dark;

impl Painter for Dark {
    fn paint(&self, _: Tile, _: Option<Arc<Frame>>) {}

    fn drawn(&self, _: Tile) -> (u64, Option<i64>) {
        (0, None)
    }
}

pub struct TestDesk {
    pub handle: DeskHandle,
    pub window: Window,
    pub told: Arc<Told>,
    pub folder: Folder,
    events: mpsc::UnboundedReceiver<DeskEvent>,
}

impl TestDesk {
    pub fn start(url: &str, folder: Folder, keyring: Keyring) -> Self {
        let (events, shown) = mpsc::unbounded_channel();
        let told = Arc::new(Told::default());
        let shell = TestShell {
            events,
            told: told.clone(),
        };
        let config = DeskConfig {
            data_dir: folder.0.clone(),
            downloads: folder.0.join("downloads"),
            server: ServerSource::Url(url.into()),
            keyring,
        };
        let handle = Desk::start(config, Arc::new(shell));
        Self {
            handle,
            window: Window::default(),
            told,
            folder,
            events: shown,
        }
    }

    pub async fn command(&self, command: DeskCommand) -> Result<(), Problem> {
        timeout(PATIENCE, self.handle.command(command))
            .await
            .expect("a command was not answered")
    }

    pub async fn sign_in(&self, password: &str) -> Result<(), Problem> {
        self.sign_in_as("agent@example.test", password).await
    }

    pub async fn sign_in_as(&self, email: &str, password: &str) -> Result<(), Problem> {
        self.command(DeskCommand::Attach).await.unwrap();
        for (kind, id) in [
            (DeviceKind::Camera, "synthetic:camera"),
            (DeviceKind::Microphone, "synthetic:microphone"),
        ] {
            self.command(DeskCommand::SelectDevice {
                kind,
                id: Some(id.into()),
            })
            .await
            .unwrap();
        }
        self.command(DeskCommand::SignIn {
            email: email.into(),
            password: password.into(),
        })
        .await
    }

    /// Takes in what the window is shown until it fits.
    pub async fn until<R>(&mut self, what: &str, mut fits: impl FnMut(&Window) -> Option<R>) -> R {
        let deadline = Instant::now() + PATIENCE;
        loop {
            while let Ok(event) = self.events.try_recv() {
                self.window.show(event);
                if let Some(found) = fits(&self.window) {
                    return found;
                }
            }
            if let Some(found) = fits(&self.window) {
                return found;
            }
            match timeout_at(deadline, self.events.recv()).await {
                Ok(Some(event)) => self.window.show(event),
                Ok(None) => panic!("the controller ended before: {what}"),
                Err(_) => panic!("never shown: {what}"),
            }
        }
    }

    pub async fn online(&mut self) {
        self.until("the desk online", |w| match w.session.as_ref()? {
            SessionView::SignedIn {
                link: sightline_wire::desk::LinkView::Online,
                ..
            } => Some(()),
            _ => None,
        })
        .await;
    }

    pub async fn offline(&mut self) {
        self.until("the desk offline", |w| match w.session.as_ref()? {
            SessionView::SignedIn {
                link: sightline_wire::desk::LinkView::Offline { .. },
                ..
            } => Some(()),
            _ => None,
        })
        .await;
    }

    /// The app ends, and leaves what it has on disk.
    pub async fn quit(self) -> Folder {
        let Self {
            handle,
            folder,
            mut events,
            ..
        } = self;
        drop(handle);
        let ended = async { while events.recv().await.is_some() {} };
        timeout(PATIENCE, ended).await.expect("the controller did not end");
        folder
    }
}

/// A keyring that outlives a desk.
#[derive(Clone, Default)]
pub struct MemoryStore {
    kept: Arc<Mutex<HashMap<String, String>>>,
}

impl MemoryStore {
    pub fn keyring(&self) -> Keyring {
        Keyring::of(vec![Arc::new(self.clone())], PATIENCE)
    }

    pub fn is_empty(&self) -> bool {
        self.kept.lock().unwrap().is_empty()
    }
}

impl SecretStore for MemoryStore {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
        Ok(self.kept.lock().unwrap().get(key).cloned())
    }

    fn set(&self, key: &str, secret: &str) -> Result<(), StoreError> {
        self.kept.lock().unwrap().insert(key.into(), secret.into());
        Ok(())
    }

    fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.kept.lock().unwrap().remove(key);
        Ok(())
    }
}

/// A customer in the web chat.
pub struct Customer {
    http: reqwest::Client,
    url: String,
    started: ConversationStarted,
}

impl Customer {
    pub async fn say(&self, text: &str) {
        self.post(json!({ "type": "message", "text": text, "from": { "id": "me" } }))
            .await;
    }

    pub async fn post(&self, activity: Value) {
        let path = format!(
            "{}/v3/directline/conversations/{}/activities",
            self.url, self.started.conversation_id
        );
        let _: Value = body(self.http.post(path).bearer_auth(&self.started.token).json(&activity)).await;
    }

    /// Opens the link and takes the seat.
    pub async fn join(&self, link: &str) -> Seat {
        let code = link.rsplit('/').next().unwrap();
        let redeem = self.http.post(format!("{}/v1/invites/{code}/redeem", self.url));
        let key = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let redeemed: Redeemed = body(redeem.json(&json!({ "browser_key": key }))).await;
        let url = format!("{}/v1/rooms/socket", self.url.replacen("http", "ws", 1));
        let (socket, _) = connect_async(from(&self.url, &url)).await.unwrap();
        let mut seat = Seat { socket };
        seat.send(&RoomRequest::Hello {
            token: redeemed.room_token,
            resume: None,
        })
        .await;
        seat
    }
}

/// A customer's place in a room, without media behind it.
pub struct Seat {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Seat {
    pub async fn send(&mut self, request: &RoomRequest) {
        self.socket
            .send(Frames::text(serde_json::to_string(request).unwrap()))
            .await
            .unwrap();
    }

    pub async fn expect<R>(&mut self, what: &str, mut pick: impl FnMut(RoomEvent) -> Option<R>) -> R {
        let search = async {
            while let Some(frame) = self.socket.next().await {
                if let Frames::Text(text) = frame.unwrap()
                    && let Some(found) = pick(serde_json::from_str(&text).unwrap())
                {
                    return found;
                }
            }
            panic!("the room closed before: {what}")
        };
        timeout(PATIENCE, search)
            .await
            .unwrap_or_else(|_| panic!("never heard: {what}"))
    }
}

async fn body<T: DeserializeOwned>(request: reqwest::RequestBuilder) -> T {
    let answer = timeout(PATIENCE, request.send()).await.unwrap().unwrap();
    let status = answer.status();
    let bytes = answer.bytes().await.unwrap();
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{status} with another body: {error}"))
}

/// A socket's request that names a page of `origin`.
pub fn from(origin: &str, url: &str) -> Request {
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("origin", origin.parse().unwrap());
    request
}
