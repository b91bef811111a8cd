//! The benchmark's network: two hosts, each a network namespace, and between them a line with delay, jitter, loss,
//! capacity and a queue. The kernel of the machines it runs on has no netem.
//!
//! Host A is the namespace this program is started in, host B is one it makes; both get a TUN device whose packets
//! pass through here. Commands come as lines of JSON ([`conditions::Command`]); the first line of output says how to
//! enter host B. It ends, and with it host B, when standard input does.

mod capture;
mod conditions;
mod link;
mod random;
mod tun;

use capture::Capture;
use conditions::Command;
use link::{Link, Passed, Time};
use serde_json::{Value, json};
use std::{
    error::Error,
    fs::File,
    io::{self, Read, Write},
    os::fd::AsRawFd,
    process::ExitCode,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

const REPORT_EVERY: Time = 100_000_000;
/// Longer than any packet of a TUN device.
const LONGEST: usize = 65_536;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("forwarder: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    be_punctual();
    let a = tun::open("line")?;
    let (b, namespace) = tun::open_elsewhere("line")?;
    say(&json!({ "ready": { "b": namespace } }))?;
    Forwarder {
        a,
        b,
        a_to_b: Link::new(1),
        b_to_a: Link::new(2),
        began: Instant::now(),
        report_at: REPORT_EVERY,
        reporting: false,
        capture: None,
        input: Vec::new(),
    }
    .run()
}

/// A network does not wait for the hosts' processors. Neither setting is vital.
fn be_punctual() {
    // SAFETY: two settings of this process; no memory is involved.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, -15);
        libc::prctl(libc::PR_SET_TIMERSLACK, 1);
    }
}

struct Forwarder {
    a: File,
    b: File,
    a_to_b: Link,
    b_to_a: Link,
    began: Instant,
    report_at: Time,
    reporting: bool,
    capture: Option<Capture>,
    input: Vec<u8>,
}

impl Forwarder {
    fn run(mut self) -> Result<(), Box<dyn Error>> {
        let mut buffer = vec![0; LONGEST];
        loop {
            let now = self.now();
            deliver(&mut self.a_to_b, &self.b, now)?;
            deliver(&mut self.b_to_a, &self.a, now)?;
            if self.report_at <= now {
                self.report(now)?;
            }
            let [from_a, from_b, command] = self.wait()?;
            let now = self.now();
            if from_a {
                take(&self.a, &self.b, &mut self.a_to_b, &mut self.capture, &mut buffer, now)?;
            }
            if from_b {
                take(&self.b, &self.a, &mut self.b_to_a, &mut self.capture, &mut buffer, now)?;
            }
            if command && !self.command(&mut buffer)? {
                return Ok(());
            }
        }
    }

    fn now(&self) -> Time {
        self.began.elapsed().as_nanos() as Time
    }

    /// Until a packet or a command comes, or something is due.
    fn wait(&self) -> io::Result<[bool; 3]> {
        let next = [self.a_to_b.next(), self.b_to_a.next(), Some(self.report_at)];
        let left = next
            .into_iter()
            .flatten()
            .min()
            .map_or(0, |at| at.saturating_sub(self.now()));
        let left = Duration::from_nanos(left);
        let timeout = libc::timespec {
            tv_sec: left.as_secs() as libc::time_t,
            tv_nsec: left.subsec_nanos().into(),
        };
        let files = [self.a.as_raw_fd(), self.b.as_raw_fd(), libc::STDIN_FILENO];
        let mut polled = files.map(|fd| libc::pollfd {
            fd,
            events: libc::POLLIN,
            revents: 0,
        });
        // SAFETY: three pollfd and a timespec that outlive the call, no signal mask.
        let ready = unsafe { libc::ppoll(polled.as_mut_ptr(), 3, &raw const timeout, std::ptr::null()) };
        if ready < 0 {
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
            return Ok([false; 3]);
        }
        Ok(polled.map(|file| file.revents != 0))
    }

    /// Reads commands; `false` at the end of input.
    fn command(&mut self, buffer: &mut [u8]) -> Result<bool, Box<dyn Error>> {
        let length = io::stdin().lock().read(buffer)?;
        if length == 0 {
            return Ok(false);
        }
        self.input.extend_from_slice(&buffer[..length]);
        while let Some(end) = self.input.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.input.drain(..=end).collect();
            match conditions::parse(&String::from_utf8_lossy(&line)) {
                Ok(command) => self.obey(command)?,
                Err(error) => say(&json!({ "error": error }))?,
            }
        }
        Ok(true)
    }

    fn obey(&mut self, command: Command) -> io::Result<()> {
        if let Some(conditions) = command.a_to_b {
            self.a_to_b.set(conditions);
        }
        if let Some(conditions) = command.b_to_a {
            self.b_to_a.set(conditions);
        }
        if let Some(seed) = command.seed {
            self.a_to_b.seed(seed);
            self.b_to_a.seed(!seed);
        }
        if let Some(reporting) = command.report {
            self.reporting = reporting;
        }
        if let Some(path) = command.capture {
            if let Some(before) = self.capture.take() {
                before.end()?;
            }
            if !path.as_os_str().is_empty() {
                self.capture = Some(Capture::begin(&path)?);
            }
        }
        say(&json!({ "done": command.id }))
    }

    /// Figures are taken whether or not they are wanted, so that they never pile up.
    fn report(&mut self, now: Time) -> io::Result<()> {
        let unix = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs_f64();
        let [a_to_b, b_to_a] = [&mut self.a_to_b, &mut self.b_to_a].map(|link| described(link.take_passed()));
        self.report_at = (self.report_at + REPORT_EVERY).max(now);
        if !self.reporting {
            return Ok(());
        }
        say(&json!({ "at_ms": unix * 1e3, "a_to_b": a_to_b, "b_to_a": b_to_a }))
    }
}

fn described(passed: Passed) -> Value {
    let Passed {
        packets,
        bytes,
        lost,
        dropped,
        ..
    } = passed;
    let (p50, p95, most) = (passed.waited(0.5), passed.waited(0.95), passed.waited(1.0));
    json!({
        "packets": packets, "bytes": bytes, "lost": lost, "dropped": dropped,
        "queue_ms": { "p50": p50, "p95": p95, "max": most },
    })
}

/// Everything the device has to say.
fn take(
    from: &File,
    to: &File,
    link: &mut Link,
    capture: &mut Option<Capture>,
    buffer: &mut [u8],
    now: Time,
) -> io::Result<()> {
    loop {
        deliver(link, to, now)?;
        match (&mut &*from).read(buffer) {
            Ok(length) => {
                if let Some(capture) = capture {
                    capture.packet(&buffer[..length])?;
                }
                link.offer(buffer[..length].to_vec(), now);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            // The device is not up yet.
            Err(error) if error.raw_os_error() == Some(libc::EBADFD) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

fn deliver(link: &mut Link, to: &File, now: Time) -> io::Result<()> {
    while let Some(packet) = link.due(now) {
        match (&mut &*to).write(&packet) {
            Ok(_) => {}
            // A host that is not up, or too slow to take it, loses it as any host would.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock || error.raw_os_error() == Some(libc::EIO) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn say(line: &Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
