//! The customer that the echo peer plays: it follows its link as a browser does that was not warm. It redeems, opens
//! the room's socket, and answers the offer; nothing reaches it in another way than over HTTP.

use super::{
    EchoError,
    connection::{Connection, Said},
    ear::Ear,
};
use futures_util::{SinkExt, StreamExt};
use sightline_wire::{
    Problem,
    escalation::{IceConfig, Redeem, Redeemed},
    room::{Attempt, MediaState, Offer, RoomEvent, RoomRequest},
};
use std::time::{Duration, Instant};
use tokio::{
    net::TcpStream,
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};

/// Until the room has said how often it wants to hear.
const HEARTBEAT: Duration = Duration::from_millis(1_500);

/// Follows a link of the server at `origin` and stays until the call is over.
pub async fn follow(origin: &str, code: &str, browser_key: String, ear: Ear) -> Result<(), EchoError> {
    let redeemed = redeem(origin, code, browser_key).await?;
    ear.joined(Instant::now());
    let mut socket = Socket::open(origin).await?;
    let hello = RoomRequest::Hello {
        token: redeemed.room_token,
        resume: None,
    };
    socket.send(&hello).await?;
    let (said, mut told) = mpsc::unbounded_channel();
    let mut caller = Caller {
        socket,
        ice: IceConfig {
            servers: redeemed.ice_servers,
            policy: redeemed.ice_policy,
        },
        connection: None,
        ear,
        said,
        desk: MediaState::default(),
        flows: Flows::default(),
    };
    if let Some(offer) = redeemed.offer {
        caller.answer(offer).await?;
    }
    let mut beat = interval(HEARTBEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            event = caller.socket.next() => match event? {
                Some(RoomEvent::Ended { .. }) | None => return Ok(()),
                Some(event) => {
                    if let RoomEvent::Welcome { heartbeat_ms, .. } = &event {
                        beat = interval(Duration::from_millis(u64::from(*heartbeat_ms).max(1)));
                    }
                    caller.hear(event).await?;
                }
            },
            Some(said) = told.recv() => caller.say(said).await?,
            _ = beat.tick() => caller.socket.send(&RoomRequest::Heartbeat).await?,
        }
    }
}

/// What has come through so far.
#[derive(Default)]
struct Flows {
    picture: bool,
    sound: bool,
    told: bool,
}

struct Caller {
    socket: Socket,
    ice: IceConfig,
    /// The newest, with the number of its offer.
    connection: Option<(u32, Connection)>,
    ear: Ear,
    said: mpsc::UnboundedSender<Said>,
    /// What the desk sends.
    desk: MediaState,
    flows: Flows,
}

impl Caller {
    async fn hear(&mut self, event: RoomEvent) -> Result<(), EchoError> {
        match event {
            RoomEvent::Welcome { offer, other_media, .. } => {
                self.desk = other_media;
                let sends = MediaState {
                    microphone: true,
                    camera: true,
                    screen: false,
                };
                self.socket.send(&RoomRequest::Media(sends)).await?;
                if let Some(offer) = offer {
                    self.answer(offer).await?;
                }
            }
            RoomEvent::Offer(offer) => self.answer(offer).await?,
            RoomEvent::Candidate { negotiation, candidate } => {
                if let Some((current, connection)) = &self.connection
                    && *current == negotiation
                    && !candidate.is_empty()
                {
                    connection.candidate(candidate).await;
                }
            }
            RoomEvent::Ice(ice) => self.ice = ice,
            RoomEvent::Media(media) => {
                self.desk = media;
                self.flowing().await?;
            }
            RoomEvent::Attempt { attempt } => {
                if let Some((_, connection)) = &self.connection {
                    connection.show(attempt != Attempt::SoundOnly);
                }
            }
            RoomEvent::Problem(problem) => tracing::debug!(code = ?problem.code, "the room refused the echo peer"),
            // It answers offers; candidates and answers to its own, and what a warm page is told, do not concern it.
            RoomEvent::Agent { .. }
            | RoomEvent::Answer { .. }
            | RoomEvent::Ended { .. }
            | RoomEvent::Heartbeat
            | RoomEvent::Joined
            | RoomEvent::Presence(_) => {}
        }
        Ok(())
    }

    /// A newer offer means a new connection in place of the old one.
    async fn answer(&mut self, offer: Offer) -> Result<(), EchoError> {
        let current = self.connection.as_ref().map(|(negotiation, _)| *negotiation);
        if current.is_some_and(|current| offer.negotiation <= current) {
            return Ok(());
        }
        let negotiation = offer.negotiation;
        let answered = Connection::answer((negotiation, offer.sdp), &self.ice, self.ear.clone(), self.said.clone());
        let (connection, sdp) = answered.await?;
        self.connection = Some((negotiation, connection));
        self.socket.send(&RoomRequest::Answer { negotiation, sdp }).await
    }

    async fn say(&mut self, said: Said) -> Result<(), EchoError> {
        match said {
            Said::Candidate { negotiation, candidate } => {
                return self
                    .socket
                    .send(&RoomRequest::Candidate { negotiation, candidate })
                    .await;
            }
            Said::Picture => self.flows.picture = true,
            Said::Sound => self.flows.sound = true,
        }
        self.flowing().await
    }

    /// Says once that media flows: pictures, or sound from a desk that has no camera on.
    async fn flowing(&mut self) -> Result<(), EchoError> {
        let flows = self.flows.picture || (self.flows.sound && !self.desk.camera);
        if !flows || self.flows.told {
            return Ok(());
        }
        self.flows.told = true;
        self.socket.send(&RoomRequest::MediaFlowing).await
    }
}

async fn redeem(origin: &str, code: &str, browser_key: String) -> Result<Redeemed, EchoError> {
    // The server itself is never behind a proxy of its own environment.
    let client = reqwest::Client::builder().no_proxy().build().map_err(EchoError::http)?;
    let answer = client
        .post(format!("{origin}/v1/invites/{code}/redeem"))
        .json(&Redeem { browser_key })
        .send()
        .await
        .map_err(EchoError::http)?;
    if answer.status().is_success() {
        return answer.json().await.map_err(EchoError::http);
    }
    let problem: Problem = answer.json().await.map_err(EchoError::http)?;
    Err(EchoError::Refused(problem.code))
}

/// The room's socket.
struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    async fn open(origin: &str) -> Result<Self, EchoError> {
        let url = format!("{}/v1/rooms/socket", origin.replacen("http", "ws", 1));
        let mut request = url.into_client_request()?;
        let own = HeaderValue::from_str(origin).map_err(|_| EchoError::Address)?;
        request.headers_mut().insert("origin", own);
        let (socket, _) = connect_async(request).await?;
        Ok(Self(socket))
    }

    async fn send(&mut self, request: &RoomRequest) -> Result<(), EchoError> {
        let frame = serde_json::to_string(request).map_err(|_| EchoError::Frame)?;
        Ok(self.0.send(Message::text(frame)).await?)
    }

    /// The next event; nothing when the room has closed the socket. Dropping the future loses nothing.
    async fn next(&mut self) -> Result<Option<RoomEvent>, EchoError> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => {
                    let event = serde_json::from_str(&text).map_err(|_| EchoError::Frame)?;
                    return Ok(Some(event));
                }
                Some(Ok(Message::Close(_))) | None => return Ok(None),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
            }
        }
    }
}
