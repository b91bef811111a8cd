//! Real sound: PulseAudio with virtual devices, a tone into the microphone and a tone out of the speaker.

mod common;

use common::{FarEnd, PATIENCE, config, share_of, start, tone};
use sightline_media::{MediaEvent, SessionConfig};
use sightline_wire::device::DeviceKind;
use std::{
    fs,
    io::{Read, Write},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::Instant,
};

/// A PulseAudio daemon of this test's own. Ends with it.
struct Sound {
    daemon: Child,
    folder: PathBuf,
}

impl Sound {
    fn start() -> Self {
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
        // SAFETY: the only test of this binary, before it starts a thread.
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
}

impl Drop for Sound {
    fn drop(&mut self) {
        self.daemon.kill().ok();
        self.daemon.wait().ok();
        fs::remove_dir_all(&self.folder).ok();
    }
}

fn stream(program: &str, device: &str, stdio: (Stdio, Stdio)) -> Child {
    Command::new(program)
        .args([
            "--raw",
            "--format=float32le",
            "--rate=48000",
            "--channels=1",
            "--latency-msec=20",
            "--device",
            device,
        ])
        .stdin(stdio.0)
        .stdout(stdio.1)
        .spawn()
        .expect("pulseaudio-utils is installed")
}

#[test]
fn both_sides_hear_each_other_through_real_devices() {
    let sound = Sound::start();
    let listed = sightline_media::list_devices();
    assert!(
        listed
            .iter()
            .any(|device| device.kind == DeviceKind::Microphone && !device.id.starts_with("synthetic")),
        "{listed:?}"
    );
    assert!(
        listed.iter().any(|device| device.kind == DeviceKind::Speaker),
        "{listed:?}"
    );

    // The desk lists devices every few seconds, all day long.
    let threads = || fs::read_dir("/proc/self/task").expect("on Linux").count();
    let before = threads();
    (0..20).for_each(|_| drop(sightline_media::list_devices()));
    assert_eq!(threads(), before, "a look at the devices leaves nothing behind");

    // Bursts, as speech has them: a steady tone is noise, and is taken away as such.
    let mut feed = stream("pacat", "micfeed", (Stdio::piped(), Stdio::null()));
    let mut into = feed.stdin.take().expect("piped");
    let feeding = thread::spawn(move || {
        let burst: Vec<u8> = [tone(700.0, 0, 14_400), vec![0.0; 9_600]]
            .concat()
            .iter()
            .flat_map(|s| s.to_le_bytes())
            .collect();
        while into.write_all(&burst).is_ok() {}
    });
    let mut recorder = stream("parec", "spk.monitor", (Stdio::null(), Stdio::piped()));
    let mut record = recorder.stdout.take().expect("piped");

    let (session, _screen, _barcodes, mut events) = start(SessionConfig {
        microphone: None,
        ..config()
    });
    let mut waiting = vec![DeviceKind::Microphone, DeviceKind::Speaker];
    session.offer(1);
    let far = FarEnd::answering(&events.offer());
    session.answer(1, far.answer.clone());
    session.admit(1);
    events.wait_for(|event| {
        match event {
            MediaEvent::DeviceReady { kind } => waiting.retain(|waiting| *waiting != kind),
            MediaEvent::DeviceProblem { kind, problem } => panic!("{kind:?}: {problem:?}"),
            _ => {}
        }
        waiting.is_empty().then_some(())
    });

    far.barcodes
        .recv_timeout(PATIENCE)
        .expect("the picture does not wait for the sound");
    let end = Instant::now() + PATIENCE;
    let mut best = 0.0f32;
    while best < 0.6 {
        assert!(
            Instant::now() < end,
            "the microphone's tone is heard on the other side: at best {best:.2}"
        );
        let heard: Vec<f32> = (0..5)
            .flat_map(|_| far.sound.recv_timeout(PATIENCE).expect("sound keeps coming"))
            .collect();
        best = best.max(share_of(700.0, &heard));
    }
    let mut played = 0.0f32;
    let mut bytes = vec![0; 4_800 * 4];
    while played < 0.9 {
        assert!(
            Instant::now() < end,
            "the customer's tone comes out of the speaker: at best {played:.2}"
        );
        record.read_exact(&mut bytes).expect("the recording goes on");
        let samples: Vec<f32> = bytes
            .as_chunks::<4>()
            .0
            .iter()
            .map(|b| f32::from_le_bytes(*b))
            .collect();
        played = played.max(share_of(440.0, &samples));
    }
    let quality = events.wait_for(|event| match event {
        MediaEvent::Quality(quality) => Some(quality),
        _ => None,
    });
    assert!(quality.concealed < 0.2, "{quality:?}");

    drop(session);
    for child in [&mut feed, &mut recorder] {
        child.kill().expect("ours");
        child.wait().expect("ours");
    }
    feeding.join().expect("ends with the feed");
    drop(sound);
}
