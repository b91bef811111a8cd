//! Reading and writing JSON text frames, with the rules that hold for every socket: size, shape, silence.

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use serde::{Serialize, de::DeserializeOwned};
use sightline_wire::{MAX_FRAME_BYTES, Problem};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Both sides send a heartbeat this often.
pub const HEARTBEAT: Duration = Duration::from_millis(1_500);

/// A side that is silent for so long is gone. With the heartbeat a dead peer is noticed within five seconds.
pub const SILENCE: Duration = Duration::from_millis(4_500);

/// The first frame must have arrived by then.
const FIRST_FRAME: Duration = Duration::from_secs(5);

/// A peer that does not take a frame for so long is gone.
const SEND: Duration = Duration::from_secs(5);

/// The peer's own goodbye must have come by then.
const FAREWELL: Duration = Duration::from_secs(2);

/// Frames of the wrong shape before the socket closes.
const STRIKES: u8 = 3;

/// Lets a frame that is somewhat too large arrive, so that it can be answered with the right close code.
const READ_LIMIT: usize = MAX_FRAME_BYTES * 4;

/// What came.
pub enum Incoming<T> {
    /// A frame.
    Frame(T),
    /// Something that is not a frame of the right shape; answer it and go on.
    Malformed,
    /// A sign of life.
    Nothing,
    /// Nothing more will come.
    Gone,
}

/// One socket.
pub struct Frames {
    /// Gone once goodbye was said.
    socket: Option<WebSocket>,
    strikes: u8,
    heard_at: Instant,
}

/// Sets the limits of a socket about to open.
pub fn limited(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade.max_message_size(READ_LIMIT).max_frame_size(READ_LIMIT)
}

impl Frames {
    /// Takes over an open socket.
    pub fn new(socket: WebSocket) -> Self {
        Self {
            socket: Some(socket),
            strikes: 0,
            heard_at: Instant::now(),
        }
    }

    /// The first frame, or `None` when it did not come in time or in shape; the socket is closed then.
    pub async fn first<T: DeserializeOwned>(&mut self) -> Option<T> {
        let first = timeout(FIRST_FRAME, async {
            loop {
                match self.next().await {
                    Incoming::Frame(frame) => return Some(frame),
                    Incoming::Nothing => {}
                    Incoming::Malformed | Incoming::Gone => return None,
                }
            }
        });
        let frame = first.await.ok().flatten();
        if frame.is_none() {
            self.close(close_code::POLICY).await;
        }
        frame
    }

    /// The next thing that comes. Cancelling it loses nothing.
    pub async fn next<T: DeserializeOwned>(&mut self) -> Incoming<T> {
        let Some(socket) = &mut self.socket else {
            return Incoming::Gone;
        };
        let message = match socket.recv().await {
            Some(Ok(message)) => message,
            Some(Err(_)) => {
                self.close(close_code::SIZE).await;
                return Incoming::Gone;
            }
            None => return Incoming::Gone,
        };
        self.heard_at = Instant::now();
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(bytes) if bytes.len() > MAX_FRAME_BYTES => {
                self.close(close_code::SIZE).await;
                return Incoming::Gone;
            }
            Message::Binary(_) => return self.strike().await,
            Message::Ping(_) | Message::Pong(_) => return Incoming::Nothing,
            Message::Close(_) => return Incoming::Gone,
        };
        if text.len() > MAX_FRAME_BYTES {
            self.close(close_code::SIZE).await;
            return Incoming::Gone;
        }
        // Direct Line's client sends empty frames to keep the connection alive.
        if text.is_empty() {
            return Incoming::Nothing;
        }
        match serde_json::from_str(&text) {
            Ok(frame) => Incoming::Frame(frame),
            Err(_) => self.strike().await,
        }
    }

    /// When the peer will have been silent for so long.
    pub fn silent_at(&self, silence: Duration) -> Instant {
        self.heard_at + silence
    }

    /// Sends a frame; `false` when the peer is gone.
    pub async fn send<T: Serialize>(&mut self, frame: &T) -> bool {
        match serde_json::to_string(frame) {
            Ok(text) => self.send_raw(Message::Text(text.into())).await,
            Err(error) => {
                tracing::error!(%error, "a frame could not be written");
                false
            }
        }
    }

    /// Asks for a sign of life below the level of frames.
    pub async fn ping(&mut self) -> bool {
        self.send_raw(Message::Ping(Vec::new().into())).await
    }

    /// Sends a problem and closes.
    pub async fn refuse<T: Serialize>(&mut self, wrap: impl FnOnce(Problem) -> T, problem: Problem) {
        self.send(&wrap(problem)).await;
        self.close(close_code::POLICY).await;
    }

    /// Says goodbye. The connection stays until the peer has said so too: dropped under a frame that is on its way
    /// here, it would be reset, and what was said last lost (RFC 6455, 7.1.1).
    pub async fn close(&mut self, code: u16) {
        let Some(mut socket) = self.socket.take() else {
            return;
        };
        let frame = CloseFrame {
            code,
            reason: "".into(),
        };
        if let Ok(Ok(())) = timeout(SEND, socket.send(Message::Close(Some(frame)))).await {
            tokio::spawn(timeout(FAREWELL, async move {
                while let Some(Ok(_)) = socket.recv().await {}
            }));
        }
    }

    async fn send_raw(&mut self, message: Message) -> bool {
        let Some(socket) = &mut self.socket else {
            return false;
        };
        matches!(timeout(SEND, socket.send(message)).await, Ok(Ok(())))
    }

    async fn strike<T>(&mut self) -> Incoming<T> {
        self.strikes += 1;
        if self.strikes >= STRIKES {
            self.close(close_code::POLICY).await;
            return Incoming::Gone;
        }
        Incoming::Malformed
    }
}
