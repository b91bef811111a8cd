//! The portable painter: frames over an authenticated loopback WebSocket to a canvas in the page.
//!
//! The page's worker connects to 127.0.0.1, sends `{"token": "..."}` first, and answers every frame with
//! `{"drawn": tile}` once it is on the canvas. That answer is the credit for the next frame of the tile:
//! a slow page gets fewer frames, never a queue. A frame is a 16-byte header (version 1, tile, width,
//! height, 2 bytes reserved, Unix time in ms; little-endian) and the I420 planes at tile size; a width
//! of 0 means that the picture is gone.

use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use sightline_media::{
    Frame, Painter, Tile, clock,
    scale::{Crop, Scaler},
};
use sightline_wire::desk::{PainterView, Rect, StageLayout};
use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Notify,
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async_with_config,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request, Response},
        http::{StatusCode, header::ORIGIN},
        protocol::WebSocketConfig,
    },
};

/// The first frame must name the token within this time.
const HELLO: Duration = Duration::from_secs(2);
/// What the page sends is tiny.
const MAX_REQUEST: usize = 1_024;
/// The origins of a Tauri page on Linux, macOS and Windows.
const ORIGINS: [&str; 3] = ["tauri://localhost", "http://tauri.localhost", "https://tauri.localhost"];

/// Paints on the page's canvases.
pub struct CanvasPainter {
    url: String,
    token: String,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    layout: StageLayout,
    tiles: [TileState; 2],
    /// Counts connections: a new one replaces the one before.
    connection: u64,
}

#[derive(Default)]
struct TileState {
    /// Waits to be sent; replaced by whatever is newer.
    next: Option<Vec<u8>>,
    /// Sent, and not yet drawn.
    in_flight: bool,
    drawn: u64,
    first_drawn_at: Option<i64>,
    scaler: Scaler,
}

#[derive(Deserialize)]
struct Hello {
    token: String,
}

#[derive(Deserialize)]
struct Drawn {
    drawn: usize,
}

impl CanvasPainter {
    /// Listens on a free loopback port for as long as the painter lives.
    pub async fn listen(token: String) -> io::Result<Arc<Self>> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("ws://{}/", listener.local_addr()?);
        let painter = Arc::new(Self {
            url,
            token,
            state: Mutex::default(),
            changed: Notify::new(),
        });
        let weak = Arc::downgrade(&painter);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Some(painter) = weak.upgrade() else { break };
                tokio::spawn(async move { painter.serve(stream).await });
            }
        });
        Ok(painter)
    }

    /// What the page needs to connect.
    pub fn view(&self) -> PainterView {
        PainterView::Canvas {
            url: self.url.clone(),
            token: self.token.clone(),
        }
    }

    /// Where the pictures belong from now on.
    pub fn set_layout(&self, layout: StageLayout) {
        self.lock().layout = layout;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn serve(&self, stream: TcpStream) {
        let limits = WebSocketConfig::default()
            .max_message_size(Some(MAX_REQUEST))
            .max_frame_size(Some(MAX_REQUEST));
        let Ok(mut socket) = accept_hdr_async_with_config(stream, check_origin, Some(limits)).await else {
            return;
        };
        if !self.hello(&mut socket).await {
            tracing::warn!("a connection to the frame socket without its token");
            return;
        }
        let connection = {
            let mut state = self.lock();
            state.connection += 1;
            state.tiles.iter_mut().for_each(|tile| tile.in_flight = false);
            state.connection
        };
        self.changed.notify_waiters();
        while self.step(&mut socket, connection).await {}
    }

    async fn hello(&self, socket: &mut WebSocketStream<TcpStream>) -> bool {
        let first = tokio::time::timeout(HELLO, socket.next()).await;
        let Ok(Some(Ok(Message::Text(text)))) = first else {
            return false;
        };
        serde_json::from_str::<Hello>(&text).is_ok_and(|hello| same(hello.token.as_bytes(), self.token.as_bytes()))
    }

    /// Sends what may be sent, then waits for the next change or answer. False at the end.
    async fn step(&self, socket: &mut WebSocketStream<TcpStream>, connection: u64) -> bool {
        let changed = self.changed.notified();
        tokio::pin!(changed);
        changed.as_mut().enable();
        let frames: Vec<Vec<u8>> = {
            let mut state = self.lock();
            if state.connection != connection {
                return false;
            }
            let ready = state.tiles.iter_mut().filter(|tile| !tile.in_flight);
            let frames = ready.filter_map(|tile| tile.next.take().inspect(|_| tile.in_flight = true));
            frames.collect()
        };
        for frame in frames {
            if socket.send(Message::Binary(frame.into())).await.is_err() {
                return false;
            }
        }
        tokio::select! {
            () = changed => true,
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    if let Ok(Drawn { drawn }) = serde_json::from_str(&text) {
                        self.note_drawn(drawn);
                    }
                    true
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => false,
                Some(Ok(_)) => true,
            },
        }
    }

    fn note_drawn(&self, tile: usize) {
        let mut state = self.lock();
        if let Some(tile) = state.tiles.get_mut(tile) {
            tile.in_flight = false;
            tile.drawn += 1;
            tile.first_drawn_at.get_or_insert_with(clock::unix_ms);
        }
    }
}

fn check_origin(request: &Request, response: Response) -> Result<Response, ErrorResponse> {
    let origin = request.headers().get(ORIGIN).and_then(|origin| origin.to_str().ok());
    if origin.is_some_and(|origin| ORIGINS.contains(&origin)) {
        return Ok(response);
    }
    let mut refusal = ErrorResponse::new(None);
    *refusal.status_mut() = StatusCode::FORBIDDEN;
    Err(refusal)
}

/// Compares without telling by its time where the difference is.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

fn index(tile: Tile) -> usize {
    match tile {
        Tile::Remote => 0,
        Tile::Own => 1,
    }
}

fn encode(tile: Tile, frame: Option<&Frame>) -> Vec<u8> {
    let (width, height) = frame.map_or((0, 0), |frame| (frame.width as u16, frame.height as u16));
    let mut out = vec![1, index(tile) as u8];
    out.extend(width.to_le_bytes());
    out.extend(height.to_le_bytes());
    out.extend([0, 0]);
    out.extend(clock::unix_ms().to_le_bytes());
    if let Some(frame) = frame {
        out.extend_from_slice(&frame.y);
        out.extend_from_slice(&frame.u);
        out.extend_from_slice(&frame.v);
    }
    out
}

/// The size at which a tile shows a picture of that shape: never larger than the picture itself.
fn shown(rect: Rect, scale: f64, frame: &Frame, tile: Tile) -> (Crop, u32, u32) {
    let (width, height) = (rect.width * scale, rect.height * scale);
    match tile {
        Tile::Remote => {
            let fit = f64::min(width / f64::from(frame.width), height / f64::from(frame.height)).min(1.0);
            let size = |pixels: u32| (f64::from(pixels) * fit).round() as u32;
            (Crop::whole(frame), size(frame.width), size(frame.height))
        }
        Tile::Own => {
            let crop = frame.cropped_to(width.max(2.0) as u32, height.max(2.0) as u32);
            (crop, width.min(crop.width) as u32, height.min(crop.height) as u32)
        }
    }
}

impl Painter for CanvasPainter {
    fn paint(&self, tile: Tile, frame: Option<Arc<Frame>>) {
        let mut state = self.lock();
        let scale = state.layout.scale.max(0.5);
        let rect = match tile {
            Tile::Remote => state.layout.remote,
            Tile::Own => state.layout.own,
        };
        let target = &mut state.tiles[index(tile)];
        let encoded = match (frame, rect) {
            (None, _) => {
                (target.drawn, target.first_drawn_at) = (0, None);
                encode(tile, None)
            }
            (Some(_), None) => return,
            (Some(frame), Some(rect)) => {
                let (crop, width, height) = shown(rect, scale, &frame, tile);
                encode(tile, Some(&target.scaler.scale(&frame, crop, width, height)))
            }
        };
        target.next = Some(encoded);
        drop(state);
        self.changed.notify_waiters();
    }

    fn drawn(&self, tile: Tile) -> (u64, Option<i64>) {
        let state = self.lock();
        let tile = &state.tiles[index(tile)];
        (tile.drawn, tile.first_drawn_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_tungstenite::{
        connect_async,
        tungstenite::{client::IntoClientRequest, http::HeaderValue},
    };

    async fn connect(
        painter: &CanvasPainter,
        origin: &'static str,
    ) -> Result<WebSocketStream<tokio_tungstenite::MaybeTlsStream<TcpStream>>, tokio_tungstenite::tungstenite::Error>
    {
        let mut request = painter.url.as_str().into_client_request().expect("a good address");
        request.headers_mut().insert(ORIGIN, HeaderValue::from_static(origin));
        connect_async(request).await.map(|(socket, _)| socket)
    }

    fn layout() -> StageLayout {
        let rect = Rect {
            x: 0.0,
            y: 0.0,
            width: 64.0,
            height: 36.0,
        };
        StageLayout {
            remote: Some(rect),
            own: Some(rect),
            above: Vec::new(),
            scale: 1.0,
        }
    }

    #[tokio::test]
    async fn frames_wait_for_credit_and_only_the_newest_is_kept() {
        let painter = CanvasPainter::listen("t".repeat(43)).await.expect("listens");
        painter.set_layout(layout());
        let mut socket = connect(&painter, ORIGINS[0]).await.expect("connects");
        socket
            .send(Message::text(format!(r#"{{"token":"{}"}}"#, painter.token)))
            .await
            .expect("sends");
        for _ in 0..5 {
            painter.paint(Tile::Remote, Some(Arc::new(Frame::black(128, 72))));
        }
        let first = socket.next().await.expect("a frame").expect("a frame").into_data();
        assert_eq!(first[..6], [1, 0, 64, 0, 36, 0]);
        assert_eq!(first.len(), 16 + 64 * 36 * 3 / 2);
        painter.paint(Tile::Remote, None);
        socket.send(Message::text(r#"{"drawn":0}"#)).await.expect("sends");
        // Whatever was queued in between has been replaced by the newest: "gone".
        loop {
            let next = socket.next().await.expect("a frame").expect("a frame").into_data();
            socket.send(Message::text(r#"{"drawn":0}"#)).await.expect("sends");
            if next[2..4] == [0, 0] {
                break;
            }
        }
    }

    #[tokio::test]
    async fn strangers_are_refused() {
        let painter = CanvasPainter::listen("t".repeat(43)).await.expect("listens");
        assert!(connect(&painter, "https://example.com").await.is_err());
        let mut socket = connect(&painter, ORIGINS[1]).await.expect("connects");
        socket.send(Message::text(r#"{"token":"wrong"}"#)).await.expect("sends");
        assert!(!matches!(socket.next().await, Some(Ok(Message::Binary(_)))));
    }

    #[tokio::test]
    async fn an_oversized_request_ends_the_connection() {
        let painter = CanvasPainter::listen("t".repeat(43)).await.expect("listens");
        let mut socket = connect(&painter, ORIGINS[0]).await.expect("connects");
        let flood = format!(r#"{{"token":"{}"}}"#, "t".repeat(MAX_REQUEST));
        socket.send(Message::text(flood)).await.expect("sends");
        while let Some(Ok(message)) = socket.next().await {
            assert!(!message.is_binary(), "no picture for a flood");
        }
    }
}
