//! A fault proxy of our own, between what the server calls and the platforms. Which faults a call meets depends on the seed
//! and on what the call says, not on when it comes, so that a run can be had again.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// Every one of so many connections is accepted and then left alone.
const HALF_OPEN: usize = 60;

/// A request as it came.
pub struct Call {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// What a platform answers.
pub struct Reply(pub u16, pub String);

/// What is behind the proxy.
pub trait Upstream: Send + Sync + 'static {
    /// What a call is about: the same at every attempt, and different for everything else.
    fn mark(&self, call: &Call) -> String;

    /// It has come.
    fn take(&self, call: &Call) -> Reply;

    /// Its answer has gone out whole.
    fn answered(&self, mark: &str);
}

/// What happens to one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// 429 with a second of `Retry-After`.
    Busy,
    /// 500, and the platform has not looked at it.
    Broken,
    /// 503, likewise.
    Away,
    /// The connection ends before the platform has it.
    Closed,
    /// Nobody answers.
    Silent,
    /// The platform has it, and the connection ends before the answer.
    LostAnswer,
    /// The platform has it, and the connection ends in the middle of the answer.
    CutAnswer,
    /// A connection that nobody reads from.
    HalfOpen,
}

impl Fault {
    pub const ALL: [Self; 8] = [
        Self::Busy,
        Self::Broken,
        Self::Away,
        Self::Closed,
        Self::Silent,
        Self::LostAnswer,
        Self::CutAnswer,
        Self::HalfOpen,
    ];

    fn any(random: &mut fastrand::Rng) -> Self {
        match random.u8(0..100) {
            0..8 => Self::Busy,
            8..23 => Self::Broken,
            23..38 => Self::Away,
            38..56 => Self::Closed,
            56..58 => Self::Silent,
            58..80 => Self::LostAnswer,
            _ => Self::CutAnswer,
        }
    }
}

/// The faults that attempts at one thing meet, one after the other; then it goes through.
fn plan(seed: u64, mark: &str) -> Vec<Fault> {
    let mut random = seeded(seed, mark);
    let count = match random.u8(0..100) {
        0..70 => 0,
        70..92 => 1,
        _ => 2,
    };
    (0..count).map(|_| Fault::any(&mut random)).collect()
}

/// Chance that is always the same for the same words.
pub fn seeded(seed: u64, words: &str) -> fastrand::Rng {
    // FNV-1a; the library's own hashes may change.
    let hash = words.bytes().fold(0xcbf2_9ce4_8422_2325 ^ seed, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    fastrand::Rng::with_seed(hash)
}

/// The proxy in front of one platform.
pub struct Proxy {
    pub url: String,
    shared: Arc<Shared>,
}

struct Shared {
    platform: Arc<dyn Upstream>,
    seed: u64,
    connections: AtomicUsize,
    attempts: Mutex<HashMap<String, usize>>,
    made: Mutex<BTreeMap<Fault, usize>>,
}

impl Proxy {
    pub async fn start(seed: u64, platform: Arc<dyn Upstream>) -> Self {
        let shared = Arc::new(Shared {
            platform,
            seed,
            connections: AtomicUsize::new(0),
            attempts: Mutex::default(),
            made: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn({
            let shared = shared.clone();
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(shared.clone().serve(stream));
                }
            }
        });
        Self { url, shared }
    }

    /// How often each fault was met.
    pub fn made(&self) -> BTreeMap<Fault, usize> {
        self.shared.made.lock().unwrap().clone()
    }
}

impl Shared {
    async fn serve(self: Arc<Self>, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        if self.connections.fetch_add(1, Ordering::Relaxed) % HALF_OPEN == HALF_OPEN / 2 {
            self.note(Fault::HalfOpen);
            return hold(stream).await;
        }
        while let Some(call) = read(&mut stream).await {
            let mark = self.platform.mark(&call);
            let fault = self.next(&mark);
            if let Some(fault) = fault {
                self.note(fault);
            }
            let through = match fault {
                None => {
                    let reply = self.platform.take(&call);
                    let through = write(&mut stream, &reply, "").await;
                    if through {
                        self.platform.answered(&mark);
                    }
                    through
                }
                Some(Fault::Busy) => write(&mut stream, &Reply(429, "{}".into()), "retry-after: 1\r\n").await,
                Some(Fault::Broken) => write(&mut stream, &Reply(500, "oops".into()), "").await,
                Some(Fault::Away) => write(&mut stream, &Reply(503, String::new()), "").await,
                Some(Fault::Closed) => false,
                Some(Fault::Silent | Fault::HalfOpen) => return hold(stream).await,
                Some(Fault::LostAnswer) => {
                    self.platform.take(&call);
                    false
                }
                Some(Fault::CutAnswer) => {
                    let reply = self.platform.take(&call);
                    let whole = text(&reply, "");
                    let _ = stream.write_all(&whole.as_bytes()[..whole.len() - 1]).await;
                    false
                }
            };
            if !through {
                return;
            }
        }
    }

    fn next(&self, mark: &str) -> Option<Fault> {
        let mut attempts = self.attempts.lock().unwrap();
        let attempt = attempts.entry(mark.to_owned()).or_default();
        let fault = plan(self.seed, mark).get(*attempt).copied();
        *attempt += 1;
        fault
    }

    fn note(&self, fault: Fault) {
        *self.made.lock().unwrap().entry(fault).or_default() += 1;
    }
}

/// Until the other side goes away.
async fn hold(mut stream: BufReader<TcpStream>) {
    let mut unread = [0; 4096];
    while let Ok(1..) = stream.get_mut().read(&mut unread).await {}
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Call> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
    stream.read_exact(&mut body).await.ok()?;
    Some(Call {
        method,
        path,
        headers,
        body,
    })
}

/// Whether all of it went out.
async fn write(stream: &mut BufReader<TcpStream>, reply: &Reply, headers: &str) -> bool {
    stream.write_all(text(reply, headers).as_bytes()).await.is_ok()
}

fn text(Reply(status, body): &Reply, headers: &str) -> String {
    format!(
        "HTTP/1.1 {status} -\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}
