//! A WebSocket that is kept up: hello, heartbeat, silence deadline, reconnect with growing, jittered
//! pauses. What is said on it is a [`Protocol`]'s business.

use futures_util::{SinkExt, StreamExt};
use serde::{Serialize, de::DeserializeOwned};
use sightline_wire::{Problem, agent::DESK_ORIGIN};
use std::{future::Future, sync::Arc, time::Duration};
use tokio::{
    net::TcpStream,
    sync::{Notify, mpsc},
    time::{Instant, sleep_until, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{
        Message,
        client::IntoClientRequest,
        http::{HeaderValue, header::ORIGIN},
        protocol::WebSocketConfig,
    },
};
use uuid::Uuid;

/// Connecting and the first answer each get this long; a server that is there needs milliseconds.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

/// The welcome carries a whole inbox; nothing else comes near.
const LARGEST_FRAME: usize = 16 * 1024 * 1024;

/// A socket in doubt is asked for a sign of life, and gets this long: a round trip over a slow relay.
const DOUBT: Duration = Duration::from_millis(700);

const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// Signalling is back within 5 s of a server that is back.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What a frame means for the socket it came on.
pub(crate) enum Next {
    /// Go on.
    Stay,
    /// The welcome: from now on this pace.
    Welcomed { heartbeat: Duration, silence: Duration },
    /// Connect anew.
    Reconnect,
    /// Never again.
    Stop,
}

/// What is said on a socket.
pub(crate) trait Protocol: Send + 'static {
    type Out: Serialize + Send + 'static;
    type In: DeserializeOwned + Send;

    /// `/v1/...`
    const PATH: &'static str;

    fn heartbeat() -> Self::Out;

    /// The first frame; an error means: not now, try later.
    fn hello(&mut self) -> impl Future<Output = Result<Self::Out, Problem>> + Send;

    fn hear(&mut self, frame: Self::In) -> Next;

    /// There is no socket, or none with a welcome; said once until the next welcome.
    fn lost(&mut self);
}

enum Ending {
    /// The owner let go, or the protocol said stop.
    Final,
    /// It will be tried again.
    Broken,
}

/// Keeps the socket until the owner drops its sender or the protocol says stop. What is sent while there
/// is no socket is dropped: everything that matters is sent again after a welcome. `doubt` is notified when
/// the network may have changed.
pub(crate) async fn keep<P: Protocol>(
    base: String,
    mut protocol: P,
    mut outgoing: mpsc::UnboundedReceiver<P::Out>,
    doubt: Arc<Notify>,
) {
    let url = format!("{}{}", websocket_base(&base), P::PATH);
    let mut pause = FIRST_PAUSE;
    let mut told = false;
    loop {
        let mut welcomed = false;
        match once(&url, &mut protocol, &mut outgoing, &mut welcomed, &doubt).await {
            Ending::Final => return,
            Ending::Broken => {}
        }
        if welcomed {
            pause = FIRST_PAUSE;
        }
        if welcomed || !told {
            told = true;
            protocol.lost();
        }
        let until = Instant::now() + jittered(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
        loop {
            tokio::select! {
                () = sleep_until(until) => break,
                () = doubt.notified() => break,
                sent = outgoing.recv() => if sent.is_none() { return },
            }
        }
    }
}

async fn once<P: Protocol>(
    url: &str,
    protocol: &mut P,
    outgoing: &mut mpsc::UnboundedReceiver<P::Out>,
    welcomed: &mut bool,
    doubt: &Notify,
) -> Ending {
    let opened = tokio::select! {
        opened = open(url, protocol) => opened,
        // It was begun on a network that may be gone.
        () = doubt.notified() => None,
    };
    let Some(mut stream) = opened else {
        return Ending::Broken;
    };
    let mut silence = OPEN_TIMEOUT;
    let mut silent_at = Instant::now() + silence;
    let mut heartbeat: Option<tokio::time::Interval> = None;
    loop {
        tokio::select! {
            frame = stream.next() => {
                silent_at = Instant::now() + silence;
                let text = match frame {
                    Some(Ok(Message::Text(text))) => text,
                    Some(Ok(Message::Close(_))) | None => return Ending::Broken,
                    Some(Ok(_)) => continue,
                    Some(Err(error)) => {
                        tracing::debug!(path = P::PATH, %error, "socket broken");
                        return Ending::Broken;
                    }
                };
                let frame = match serde_json::from_str(&text) {
                    Ok(frame) => frame,
                    Err(error) => {
                        tracing::warn!(path = P::PATH, category = ?error.classify(), "a frame that makes no sense");
                        continue;
                    }
                };
                match protocol.hear(frame) {
                    Next::Stay => {}
                    Next::Welcomed { heartbeat: every, silence: longest } => {
                        *welcomed = true;
                        silence = longest.max(every * 2);
                        silent_at = Instant::now() + silence;
                        heartbeat = Some(tokio::time::interval(every.max(Duration::from_millis(100))));
                    }
                    Next::Reconnect => return Ending::Broken,
                    Next::Stop => {
                        let _ = timeout(OPEN_TIMEOUT, stream.close(None)).await;
                        return Ending::Final;
                    }
                }
            }
            sent = outgoing.recv() => match sent {
                Some(frame) => if say(&mut stream, &frame).await.is_none() { return Ending::Broken },
                None => {
                    let _ = timeout(OPEN_TIMEOUT, stream.close(None)).await;
                    return Ending::Final;
                }
            },
            () = doubt.notified() => {
                silent_at = silent_at.min(Instant::now() + DOUBT);
                let asked = timeout(DOUBT, stream.send(Message::Ping(Vec::new().into()))).await;
                if !matches!(asked, Ok(Ok(()))) {
                    return Ending::Broken;
                }
            }
            () = beat(heartbeat.as_mut()) => {
                if say(&mut stream, &P::heartbeat()).await.is_none() {
                    return Ending::Broken;
                }
            }
            () = sleep_until(silent_at) => {
                tracing::info!(path = P::PATH, "socket silent for too long");
                return Ending::Broken;
            }
        }
    }
}

async fn open<P: Protocol>(url: &str, protocol: &mut P) -> Option<Stream> {
    let hello = match protocol.hello().await {
        Ok(hello) => hello,
        Err(problem) => {
            tracing::debug!(path = P::PATH, code = ?problem.code, "no hello yet");
            return None;
        }
    };
    let config = WebSocketConfig::default()
        .max_message_size(Some(LARGEST_FRAME))
        .max_frame_size(Some(LARGEST_FRAME));
    let mut request = url
        .into_client_request()
        .inspect_err(|error| tracing::warn!(path = P::PATH, %error, "the server's address makes no socket's"))
        .ok()?;
    request
        .headers_mut()
        .insert(ORIGIN, HeaderValue::from_static(DESK_ORIGIN));
    let mut stream = match timeout(OPEN_TIMEOUT, connect_async_with_config(request, Some(config), true)).await {
        Ok(Ok((stream, _))) => stream,
        Ok(Err(error)) => {
            tracing::debug!(path = P::PATH, %error, "no socket");
            return None;
        }
        Err(_) => return None,
    };
    say(&mut stream, &hello).await?;
    Some(stream)
}

async fn say(stream: &mut Stream, frame: &impl Serialize) -> Option<()> {
    let text = serde_json::to_string(frame).ok()?;
    timeout(OPEN_TIMEOUT, stream.send(Message::text(text))).await.ok()?.ok()
}

async fn beat(interval: Option<&mut tokio::time::Interval>) {
    match interval {
        Some(interval) => {
            interval.tick().await;
        }
        None => std::future::pending().await,
    }
}

fn websocket_base(base: &str) -> String {
    match base.split_once("://") {
        Some(("https", rest)) => format!("wss://{rest}"),
        Some((_, rest)) => format!("ws://{rest}"),
        None => format!("ws://{base}"),
    }
}

/// Between half the pause and all of it, so that a thousand desks do not come back in one instant.
pub(crate) fn jittered(pause: Duration) -> Duration {
    let share = f64::from(Uuid::new_v4().as_fields().0) / f64::from(u32::MAX);
    pause.mul_f64(0.5 + share / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_lives_where_the_server_lives() {
        assert_eq!(websocket_base("http://127.0.0.1:8620"), "ws://127.0.0.1:8620");
        assert_eq!(websocket_base("https://desk.example.org"), "wss://desk.example.org");
    }

    #[test]
    fn pauses_are_spread_but_bounded() {
        for _ in 0..100 {
            let pause = jittered(LONGEST_PAUSE);
            assert!(pause >= LONGEST_PAUSE / 2 && pause <= LONGEST_PAUSE);
        }
    }
}
