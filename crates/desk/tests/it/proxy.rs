//! A network between desk and server that misbehaves.

use crate::harness::from;
use futures_util::{SinkExt, StreamExt};
use sightline_wire::agent::DESK_ORIGIN;
use std::net::SocketAddr;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_tungstenite::{accept_async, connect_async, tungstenite::Message};

/// Passes everything on, but puts nonsense before every frame of the server's sockets.
pub async fn babbling(server: &str) -> String {
    let server: SocketAddr = server.trim_start_matches("http://").parse().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(pass(stream, server));
        }
    });
    format!("http://{address}")
}

async fn pass(mut desk: TcpStream, server: SocketAddr) {
    let mut head = [0; 64];
    let seen = desk.peek(&mut head).await.unwrap_or(0);
    if !head[..seen].starts_with(b"GET /v1/agent/socket ") {
        let mut server = TcpStream::connect(server).await.unwrap();
        let _ = copy_bidirectional(&mut desk, &mut server).await;
        return;
    }
    let mut desk = accept_async(desk).await.unwrap();
    let (mut server, _) = connect_async(from(DESK_ORIGIN, &format!("ws://{server}/v1/agent/socket")))
        .await
        .unwrap();
    loop {
        tokio::select! {
            frame = desk.next() => match frame {
                Some(Ok(frame)) => if server.send(frame).await.is_err() { return },
                Some(Err(_)) | None => return,
            },
            frame = server.next() => match frame {
                Some(Ok(frame)) => {
                    for nonsense in nonsense() {
                        if desk.send(nonsense).await.is_err() {
                            return;
                        }
                    }
                    if desk.send(frame).await.is_err() {
                        return;
                    }
                }
                Some(Err(_)) | None => return,
            },
        }
    }
}

fn nonsense() -> [Message; 6] {
    [
        Message::text("{ not json"),
        Message::text("null"),
        Message::text(r#"{"type":"something_of_next_year","a":1}"#),
        Message::text(r#"{"type":"message","seq":"seven"}"#),
        Message::text("[".repeat(100_000)),
        Message::binary(vec![0xff; 1_000]),
    ]
}
