//! A room of Webex Instant Connect: its link opens in the system's browser, and is told where there is none.

use crate::harness::World;
use sightline_server::Deployment;
use sightline_wire::{ErrorCode, desk::DeskCommand};
use std::{net::SocketAddr, sync::atomic::Ordering};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A broker that makes every room at the same address, `base`.
async fn broker(base: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, base));
        }
    });
    address
}

async fn answer(mut stream: TcpStream, base: &str) {
    let mut asked = Vec::new();
    while !whole(&asked) {
        if stream.read_buf(&mut asked).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let body = format!(r#"{{"host":[{{"short":"h"}}],"guest":[{{"short":"g"}}],"baseUrl":"{base}"}}"#);
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
}

/// Head and body have come.
fn whole(asked: &[u8]) -> bool {
    let text = String::from_utf8_lossy(asked);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok());
    body.len() >= length.unwrap_or(0)
}

async fn with_rooms(base: &'static str) -> World {
    let address = broker(base).await;
    World::with(move |config| {
        let table = format!(
            "[webex_instant_connect]\nbroker_base = \"http://{address}\"\nbot_token = \"env:CARGO_PKG_NAME\"\n"
        );
        config.deployment = Deployment::parse(&table).unwrap();
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hosts_link_opens_in_the_systems_browser() {
    let world = with_rooms("https://instant.example/visit/").await;
    let (desk, _customer, conversation) = world.chatting().await;
    desk.command(DeskCommand::MakeMeeting { conversation }).await.unwrap();
    assert_eq!(*desk.told.opened.lock().unwrap(), ["https://instant.example/visit/h"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_is_no_browser_the_agent_reads_where_the_room_is() {
    let world = with_rooms("https://instant.example/visit/").await;
    let (mut desk, _customer, conversation) = world.chatting().await;
    desk.told.no_browser.store(true, Ordering::SeqCst);
    let problem = desk
        .command(DeskCommand::MakeMeeting { conversation })
        .await
        .unwrap_err();
    assert_eq!(problem.code, ErrorCode::NoBrowser);
    assert_eq!(problem.message, "Your room is at https://instant.example/visit/h");
    assert!(!problem.next_step.is_empty());
    assert!(desk.told.opened.lock().unwrap().is_empty());
    // The customer has the link all the same, and the agent sees so.
    desk.until("the guest's link in the conversation", |w| {
        let texts = w.texts(conversation);
        texts
            .iter()
            .any(|text| text.ends_with("https://instant.example/visit/g"))
            .then_some(())
    })
    .await;
    // With a browser the same click works.
    desk.told.no_browser.store(false, Ordering::SeqCst);
    desk.command(DeskCommand::MakeMeeting { conversation }).await.unwrap();
    assert_eq!(desk.told.opened.lock().unwrap().len(), 1);
}
