//! The desk's engine in a test call with the server's echo peer, which is another implementation of WebRTC: by the
//! server's own HTTP and room, with real sound.

mod common;
#[path = "common/pulse.rs"]
mod pulse;

use common::{PATIENCE, config, start};
use futures_util::{SinkExt, StreamExt};
use pulse::{Record, Sound, wait_for_tone};
use reqwest::Client;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sightline_media::{Session, SessionConfig, clock};
use sightline_server::{NewAccount, RunningServer, Secret, ServerConfig, serve};
use sightline_wire::{
    account::{Role, Session as SignedIn},
    agent::DESK_ORIGIN,
    escalation::{EndReason, VideoStarted},
    readiness::EchoHeard,
    room::{Offer, RoomEvent, RoomRequest},
};
use std::{
    net::Ipv4Addr,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver},
    },
    time::{Duration, Instant},
};
use tokio::{
    runtime::Runtime,
    sync::mpsc::{UnboundedSender, unbounded_channel},
    time::interval,
};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

/// A server in this process, and an agent who is signed in.
struct Desk {
    server: RunningServer,
    http: Client,
    token: String,
    folder: PathBuf,
}

impl Desk {
    async fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("sightline-echo-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        let mut settings = ServerConfig::new((Ipv4Addr::LOCALHOST, 0).into(), folder.join("server.sqlite"));
        let password = format!("of this run: {:?}", Instant::now());
        settings.first_accounts = vec![NewAccount {
            email: "agent@example.test".into(),
            name: "Agent".into(),
            role: Role::Agent,
            password: Some(Secret::new(&password)),
        }];
        let server = serve(settings).await.expect("a server");
        let http = Client::new();
        let answer = http
            .post(format!("{}/v1/auth/sign-in", server.url))
            .json(&json!({ "email": "agent@example.test", "password": password }))
            .send();
        let session: SignedIn = answer.await.expect("an answer").json().await.expect("a session");
        Self {
            server,
            http,
            token: session.access_token,
            folder,
        }
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: Value) -> T {
        let request = self.http.post(format!("{}{path}", self.server.url));
        let answer = request.bearer_auth(&self.token).json(&body).send().await;
        answer.expect("an answer").json().await.expect("the right shape")
    }

    async fn heard(&self, started: &VideoStarted) -> EchoHeard {
        let path = format!("/v1/self-test/calls/{}/heard", started.escalation.id);
        let request = self.http.get(format!("{}{path}", self.server.url));
        let answer = request.bearer_auth(&self.token).send().await;
        answer.expect("an answer").json().await.expect("the right shape")
    }
}

/// The desk's socket in the room: answers and addresses go to the session, everything to the test.
struct Room {
    outgoing: UnboundedSender<RoomRequest>,
    events: Receiver<RoomEvent>,
}

impl Room {
    async fn enter(url: &str, token: String, session: Arc<Mutex<Option<Session>>>) -> Self {
        let url = format!("{}/v1/rooms/socket", url.replacen("http", "ws", 1));
        let mut request = url.into_client_request().expect("an address");
        let origin = DESK_ORIGIN.parse().expect("an origin");
        request.headers_mut().insert("origin", origin);
        let (mut socket, _) = connect_async(request).await.expect("a socket");
        let (outgoing, mut requests) = unbounded_channel();
        let (told, events) = mpsc::channel();
        outgoing
            .send(RoomRequest::Hello { token, resume: None })
            .expect("the other end is here");
        let own = outgoing.clone();
        tokio::spawn(async move {
            let mut beat = interval(Duration::from_secs(1));
            loop {
                tokio::select! {
                    frame = socket.next() => {
                        let Some(Ok(frame)) = frame else { return };
                        let Message::Text(text) = frame else { continue };
                        let event: RoomEvent = serde_json::from_str(&text).expect("an event");
                        pass_on(&session, &event);
                        let _ = told.send(event);
                    }
                    Some(request) = requests.recv() => {
                        let frame = serde_json::to_string(&request).expect("it serialises");
                        if socket.send(Message::text(frame)).await.is_err() {
                            return;
                        }
                    }
                    _ = beat.tick() => drop(own.send(RoomRequest::Heartbeat)),
                }
            }
        });
        Self { outgoing, events }
    }

    fn send(&self, request: RoomRequest) {
        self.outgoing.send(request).expect("the socket is open");
    }

    fn wait_for<T>(&self, what: &str, mut wanted: impl FnMut(RoomEvent) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let event = self.events.recv_timeout(left);
            if let Some(found) = wanted(event.unwrap_or_else(|_| panic!("{what} did not come"))) {
                return found;
            }
        }
    }
}

/// What concerns the connection.
fn pass_on(session: &Mutex<Option<Session>>, event: &RoomEvent) {
    let session = session.lock().expect("nobody panicked");
    match (&*session, event) {
        (Some(session), RoomEvent::Answer { negotiation, sdp }) => session.answer(*negotiation, sdp.clone()),
        (Some(session), RoomEvent::Candidate { negotiation, candidate }) => {
            session.remote_candidate(*negotiation, candidate.clone());
        }
        _ => {}
    }
}

#[test]
fn a_desk_and_the_echo_peer_see_and_hear_each_other() {
    // SAFETY: the only test of this binary, before it starts a thread.
    let sound = unsafe { Sound::start() };
    let record = Record::of_device("spk.monitor");
    let runtime = Runtime::new().expect("a runtime");
    let desk = runtime.block_on(Desk::new());
    let started: VideoStarted = runtime.block_on(desk.post("/v1/self-test/calls", json!({ "relayed": false })));

    let (session, _screen, barcodes, mut events) = start(SessionConfig {
        ice_servers: started.ice_servers.clone(),
        ice_policy: started.ice_policy,
        ..config()
    });
    session.offer(1);
    let sdp = events.offer();
    session.admit(1);
    let session = Arc::new(Mutex::new(Some(session)));
    let token = started.room_token.clone();
    let room = runtime.block_on(Room::enter(&desk.server.url, token, session.clone()));
    room.send(RoomRequest::Offer(Offer { negotiation: 1, sdp }));

    // Its picture says when it was taken, by the same clock as ours.
    let times: Vec<u32> = (0..30)
        .map(|_| barcodes.recv_timeout(PATIENCE).expect("pictures keep coming"))
        .collect();
    assert!(times.is_sorted(), "in order: {times:?}");
    let age = (clock::unix_ms() as u32).wrapping_sub(times[29]);
    assert!(age < 10_000, "{age} ms");
    // Its tone, and beside it the test tone of our own microphone, which comes back.
    wait_for_tone("the echo peer's tone", 440.0, 0.2, &record.pieces);
    wait_for_tone("our own sound", 1_000.0, 0.3, &record.pieces);

    // It has told the server that it sees us, and what.
    let end = Instant::now() + PATIENCE;
    let heard = loop {
        let heard = runtime.block_on(desk.heard(&started));
        if heard.pictures >= 30 && heard.packets >= 100 {
            break heard;
        }
        assert!(Instant::now() < end, "{heard:?}");
    };
    assert!(heard.width >= 320 && heard.height >= 180, "{heard:?}");
    assert!(heard.loss < 0.05, "nothing is lost on a loopback: {heard:?}");
    assert!(heard.first_picture_ms.is_some_and(|ms| ms < 20_000), "{heard:?}");

    let path = format!("/v1/escalations/{}/end", started.escalation.id);
    let _: Value = runtime.block_on(desk.post(&path, json!({})));
    let reason = room.wait_for("the end", |event| match event {
        RoomEvent::Ended { reason } => Some(reason),
        _ => None,
    });
    assert_eq!(reason, EndReason::AgentHungUp);

    drop(session.lock().expect("nobody panicked").take());
    let Desk { server, folder, .. } = desk;
    runtime.block_on(server.shutdown());
    drop((record, sound));
    std::fs::remove_dir_all(folder).expect("its own folder");
}
