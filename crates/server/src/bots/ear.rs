//! Hearing a bot: over its stream, or by asking again and again where no stream can be had.

use axum::body::Bytes;
use futures_util::{SinkExt, StreamExt};
use std::time::Duration;
use tokio::{
    net::TcpStream,
    time::{Instant, Interval, MissedTickBehavior, interval, sleep_until, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};

/// A stream that does not open by then is not there.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often the service is asked for a sign of life.
const PING: Duration = Duration::from_secs(15);

/// A stream that is silent for so long is broken: each ping is answered.
const SILENCE: Duration = Duration::from_secs(40);

/// How often a service without a stream is asked.
const POLL: Duration = Duration::from_secs(1);

/// How long it is asked before a stream is tried again.
const STREAM_AGAIN: Duration = Duration::from_secs(30);

/// No set of activities is longer.
const LONGEST: usize = 1024 * 1024;

/// One way to hear.
pub enum Ear {
    /// Frames come by themselves.
    Stream {
        socket: Box<WebSocketStream<MaybeTlsStream<TcpStream>>>,
        ping: Interval,
        heard_at: Instant,
    },
    /// Somebody has to ask.
    Asking { poll: Interval, until: Instant },
}

/// What there is.
#[derive(Debug)]
pub enum Sound {
    /// A set of activities.
    Frame(Vec<u8>),
    /// It is time to ask.
    Ask,
    /// The stream is broken.
    Broken,
    /// A stream may be there again.
    TryStream,
}

impl Ear {
    /// The stream at this address, or asking. It has to be encrypted, unless the service is on this computer as in tests.
    pub async fn open(address: Option<&str>) -> Self {
        let Some(address) = address.filter(|address| may_open(address)) else {
            return Self::asking();
        };
        let limits = WebSocketConfig::default()
            .max_message_size(Some(LONGEST))
            .max_frame_size(Some(LONGEST));
        match timeout(PATIENCE, connect_async_with_config(address, Some(limits), false)).await {
            Ok(Ok((socket, _))) => {
                let mut ping = interval(PING);
                ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
                Self::Stream {
                    socket: Box::new(socket),
                    ping,
                    heard_at: Instant::now(),
                }
            }
            // Some networks let no stream through; asking is slower and works.
            Ok(Err(_)) | Err(_) => Self::asking(),
        }
    }

    fn asking() -> Self {
        let mut poll = interval(POLL);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self::Asking {
            poll,
            until: Instant::now() + STREAM_AGAIN,
        }
    }

    /// What comes next. May be dropped while it waits, and called again.
    pub async fn next(&mut self) -> Sound {
        match self {
            Self::Asking { poll, until } => {
                tokio::select! {
                    _ = poll.tick() => Sound::Ask,
                    () = sleep_until(*until) => Sound::TryStream,
                }
            }
            Self::Stream { socket, ping, heard_at } => loop {
                tokio::select! {
                    frame = socket.next() => {
                        *heard_at = Instant::now();
                        match frame {
                            Some(Ok(Message::Text(text))) => return Sound::Frame(text.as_bytes().to_vec()),
                            Some(Ok(Message::Close(_)) | Err(_)) | None => return Sound::Broken,
                            Some(Ok(_)) => {}
                        }
                    }
                    _ = ping.tick() => {
                        let silent = heard_at.elapsed() > SILENCE;
                        if silent || socket.send(Message::Ping(Bytes::new())).await.is_err() {
                            return Sound::Broken;
                        }
                    }
                }
            },
        }
    }
}

fn may_open(address: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(address) else {
        return false;
    };
    match url.scheme() {
        "wss" => true,
        "ws" => matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]")),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_encrypted_unless_it_stays_here() {
        for (address, may) in [
            ("wss://directline.botframework.com/v3/x?t=1", true),
            ("ws://127.0.0.1:80/x", true),
            ("ws://bots.example.com/x", false),
            ("https://bots.example.com/x", false),
            ("nonsense", false),
        ] {
            assert_eq!(may_open(address), may, "{address}");
        }
    }
}
