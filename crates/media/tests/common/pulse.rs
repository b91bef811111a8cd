//! A PulseAudio daemon of the test's own, with devices that come and go.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use crate::common::{PATIENCE, share_of, tone};
use std::{
    collections::VecDeque,
    fs,
    io::{Read, Write},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
        mpsc::{self, Receiver},
    },
    thread,
    time::{Duration, Instant},
};

/// The daemon. Ends with it.
pub struct Sound {
    daemon: Child,
    folder: PathBuf,
}

impl Sound {
    /// A speaker `spk` and a microphone `mic` fed by `micfeed`, both the defaults.
    ///
    /// # Safety
    /// The only test of its binary, before it starts a thread: this sets environment variables.
    pub unsafe fn start() -> Self {
        let folder = std::env::temp_dir().join(format!("sightline-sound-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("a private folder");
        let socket = folder.join("native");
        let script = format!(
            "load-module module-native-protocol-unix auth-anonymous=1 socket={}\n\
             load-module module-null-sink sink_name=spk rate=48000\n\
             load-module module-null-sink sink_name=micfeed rate=48000\n\
             load-module module-virtual-source source_name=mic master=micfeed.monitor\n\
             set-default-sink spk\nset-default-source mic\n",
            socket.display()
        );
        fs::write(folder.join("setup.pa"), script).expect("the script can be written");
        // SAFETY: the caller's promise.
        unsafe {
            std::env::set_var("PULSE_SERVER", format!("unix:{}", socket.display()));
            std::env::set_var("XDG_RUNTIME_DIR", &folder);
            std::env::set_var("HOME", &folder);
        }
        let daemon = Command::new("pulseaudio")
            .args(["-n", "-F"])
            .arg(folder.join("setup.pa"))
            .args(["--exit-idle-time=-1", "--daemonize=no", "--use-pid-file=no"])
            .stderr(Stdio::null())
            .spawn()
            .expect("pulseaudio is installed");
        let end = Instant::now() + PATIENCE;
        while !Command::new("pactl")
            .arg("info")
            .output()
            .is_ok_and(|out| out.status.success())
        {
            assert!(Instant::now() < end, "pulseaudio answers");
            thread::yield_now();
        }
        Self { daemon, folder }
    }

    /// Plugs a device in; the answer unplugs it.
    pub fn plug(&self, module: &str) -> Plug {
        let out = Command::new("pactl")
            .arg("load-module")
            .args(module.split(' '))
            .output()
            .expect("pactl runs");
        let index = String::from_utf8(out.stdout).expect("a number");
        assert!(out.status.success(), "{module} loads");
        Plug(index.trim().to_owned())
    }

    /// As `set-source-mute mic 1`.
    pub fn set(&self, what: &str, device: &str, values: &[&str]) {
        let done = Command::new("pactl").args([what, device]).args(values).status();
        assert!(done.expect("pactl runs").success(), "{what} {device} {values:?}");
    }

    /// Makes it the default.
    pub fn prefer(&self, kind: &str, name: &str) {
        let done = Command::new("pactl").args([kind, name]).status().expect("pactl runs");
        assert!(done.success(), "{kind} {name}");
    }
}

impl Drop for Sound {
    fn drop(&mut self) {
        self.daemon.kill().ok();
        self.daemon.wait().ok();
        fs::remove_dir_all(&self.folder).ok();
    }
}

/// A device that is plugged in.
pub struct Plug(String);

impl Plug {
    pub fn pull(self) {
        let done = Command::new("pactl")
            .args(["unload-module", &self.0])
            .status()
            .expect("pactl runs");
        assert!(done.success(), "it was plugged in");
    }
}

/// With a buffer that a busy machine does not starve: a tone with gaps is not the tone that the tests ask for.
fn stream(program: &str, device: &str, stdio: (Stdio, Stdio)) -> Child {
    stream_with("--latency-msec=200", program, device, stdio)
}

fn stream_with(latency: &str, program: &str, device: &str, stdio: (Stdio, Stdio)) -> Child {
    Command::new(program)
        .args([
            "--raw",
            "--format=float32le",
            "--rate=48000",
            "--channels=1",
            latency,
            "--device",
            device,
        ])
        .stdin(stdio.0)
        .stdout(stdio.1)
        .stderr(Stdio::null())
        .spawn()
        .expect("pulseaudio-utils is installed")
}

/// Plays `sound` into a device over and over. Ends when dropped.
pub struct Feed {
    child: Child,
    thread: Option<thread::JoinHandle<()>>,
}

impl Feed {
    pub fn into_device(device: &str, sound: &[f32]) -> Self {
        let mut child = stream("pacat", device, (Stdio::piped(), Stdio::null()));
        let mut into: ChildStdin = child.stdin.take().expect("piped");
        let bytes: Vec<u8> = sound.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let thread = thread::spawn(move || while into.write_all(&bytes).is_ok() {});
        Self {
            child,
            thread: Some(thread),
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// What a device plays, 100 ms at a time. Ends when dropped, or when the device goes.
pub struct Record {
    child: Child,
    pub pieces: Receiver<Vec<f32>>,
}

impl Record {
    pub fn of_device(device: &str) -> Self {
        let mut child = stream("parec", device, (Stdio::null(), Stdio::piped()));
        let mut out = child.stdout.take().expect("piped");
        let (sender, pieces) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = vec![0; 4_800 * 4];
            while out.read_exact(&mut bytes).is_ok() {
                let samples = bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b));
                if sender.send(samples.collect()).is_err() {
                    break;
                }
            }
        });
        Self { child, pieces }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Plays into one device what another one plays, later and weaker. Ends when dropped.
pub struct Bridge {
    from: Child,
    into: Child,
    /// In samples.
    delay: Arc<AtomicUsize>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Bridge {
    pub fn between(from: &str, into: &str, gain: f32) -> Self {
        let latency = "--latency-msec=40";
        let mut from = stream_with(latency, "parec", from, (Stdio::null(), Stdio::piped()));
        let mut into = stream_with(latency, "pacat", into, (Stdio::piped(), Stdio::null()));
        let (mut out, mut input) = (from.stdout.take().expect("piped"), into.stdin.take().expect("piped"));
        let delay = Arc::new(AtomicUsize::new(0));
        let wanted = delay.clone();
        let thread = thread::spawn(move || {
            let (mut bytes, mut line) = (vec![0; 480 * 4], VecDeque::new());
            while out.read_exact(&mut bytes).is_ok() {
                let samples = bytes.as_chunks::<4>().0.iter().map(|b| gain * f32::from_le_bytes(*b));
                line.extend(samples);
                // As much stays on the line as is wanted, and 10 ms leave it.
                let wanted = wanted.load(Relaxed);
                while line.len() < wanted + 480 {
                    line.push_front(0.0);
                }
                line.drain(..line.len() - wanted - 480);
                let leaving: Vec<u8> = line.drain(..480).flat_map(f32::to_le_bytes).collect();
                if input.write_all(&leaving).is_err() {
                    break;
                }
            }
        });
        Self {
            from,
            into,
            delay,
            thread: Some(thread),
        }
    }

    /// From now on so much later than the sound server makes it anyway.
    pub fn set_delay(&self, delay: Duration) {
        self.delay.store((delay.as_secs_f64() * 48_000.0) as usize, Relaxed);
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        for child in [&mut self.from, &mut self.into] {
            child.kill().ok();
            child.wait().ok();
        }
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// Waits until `hertz` has at least `wanted` of the power of what comes.
pub fn wait_for_tone(what: &str, hertz: f32, wanted: f32, pieces: &Receiver<Vec<f32>>) {
    // What came before the question is about another time.
    pieces.try_iter().for_each(drop);
    let end = Instant::now() + PATIENCE;
    let mut best = 0.0f32;
    while best < wanted {
        assert!(Instant::now() < end, "{what}: {hertz} Hz at best {best:.2}");
        let mut heard = Vec::new();
        while heard.len() < 4_800 {
            heard.extend(pieces.recv_timeout(PATIENCE).expect("sound keeps coming"));
        }
        best = best.max(share_of(hertz, &heard));
    }
}

/// Bursts with pauses that are longer, as speech has them: a tone that is there most of the time is noise, and is taken away
/// as such.
pub fn bursts(hertz: f32) -> Vec<f32> {
    [tone(hertz, 0, 12_000), vec![0.0; 16_800]].concat()
}
