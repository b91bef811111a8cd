//! Carries what the platforms say to the server, with the faults that such requests meet on their way: copies, requests cut
//! in the middle, answers that nobody hears. It insists as a platform does: after no answer and after 5xx it sends again,
//! and what is refused is lost.

use super::{
    faults::seeded,
    hooks::{Event, Hook, Hooks},
    kinds::Talk,
};
use std::{collections::BTreeMap, sync::Mutex, time::Duration};
use tokio::{io::AsyncWriteExt, net::TcpStream, sync::Notify, time::timeout};

/// What happens to a request on its way, before it arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mishap {
    /// It comes again afterwards, the same bytes.
    Copy,
    /// It comes twice at the same time, signed anew where the time is signed.
    Twice,
    /// The connection ends in the middle of the body, and it comes again.
    Cut,
    /// Nobody hears the answer, and it comes again.
    Unheard,
}

impl Mishap {
    pub const ALL: [Self; 4] = [Self::Copy, Self::Twice, Self::Cut, Self::Unheard];
}

pub struct Courier {
    pub hooks: Hooks,
    pub http: reqwest::Client,
    pub seed: u64,
    /// The server is there again.
    pub up: Notify,
    met: Mutex<BTreeMap<Mishap, usize>>,
}

impl Courier {
    pub fn new(hooks: Hooks, seed: u64) -> Self {
        Self {
            hooks,
            http: reqwest::Client::new(),
            seed,
            up: Notify::new(),
            met: Mutex::default(),
        }
    }

    /// How often each mishap was met.
    pub fn met(&self) -> BTreeMap<Mishap, usize> {
        self.met.lock().unwrap().clone()
    }

    /// The server has been told, and has said so.
    pub async fn tell(&self, talk: &Talk, event: Event) {
        let mut random = seeded(self.seed, &format!("{:?} {} {event:?}", talk.kind, talk.number));
        let mishap = match random.u8(0..100) {
            0..10 => Some(Mishap::Copy),
            10..20 => Some(Mishap::Twice),
            20..30 => Some(Mishap::Cut),
            30..40 => Some(Mishap::Unheard),
            _ => None,
        };
        if let Some(mishap) = mishap {
            *self.met.lock().unwrap().entry(mishap).or_default() += 1;
        }
        let hook = self.hooks.tell(talk, event, 0);
        match mishap {
            None => self.insist(&hook).await,
            Some(Mishap::Copy) => {
                self.insist(&hook).await;
                self.insist(&hook).await;
            }
            Some(Mishap::Twice) => {
                let second = self.hooks.tell(talk, event, 1);
                tokio::join!(self.insist(&hook), self.insist(&second));
            }
            Some(Mishap::Cut) => {
                self.let_go(&hook, hook.body.len() / 2).await;
                self.insist(&hook).await;
            }
            Some(Mishap::Unheard) => {
                self.let_go(&hook, hook.body.len()).await;
                self.insist(&hook).await;
            }
        }
    }

    /// Until the server takes it.
    async fn insist(&self, hook: &Hook) {
        let mut pause = Duration::from_millis(50);
        loop {
            let mut request = self
                .http
                .post(format!("{}{}", self.hooks.server, hook.path))
                .body(hook.body.clone());
            for (name, value) in &hook.headers {
                request = request.header(name, value);
            }
            if let Ok(answer) = request.send().await {
                let status = answer.status();
                if answer.bytes().await.is_ok() && status.is_success() {
                    return;
                }
                let body = String::from_utf8_lossy(&hook.body);
                assert!(!status.is_client_error(), "lost: {status} for {} {body}", hook.path);
            }
            let _ = timeout(pause, self.up.notified()).await;
            pause = (pause * 2).min(Duration::from_secs(2));
        }
    }

    /// Sends so much of the body, and is gone.
    async fn let_go(&self, hook: &Hook, length: usize) {
        let address = self.hooks.server.trim_start_matches("http://");
        let mut head = format!("POST {} HTTP/1.1\r\nhost: {address}\r\n", hook.path);
        for (name, value) in &hook.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", hook.body.len()));
        // A server that is away right now has not heard it either.
        if let Ok(mut stream) = TcpStream::connect(address).await {
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(&hook.body[..length]).await;
        }
    }
}
