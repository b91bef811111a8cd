//! A camera that goes away in the call and comes back: a Y4M file that is emptied and written again. Another one
//! takes its place meanwhile, when there is one.

use sightline_media::{Frame, MediaEvent, Painter, Session, SessionConfig, Tile};
use sightline_wire::{ErrorCode, device::DeviceKind, room::MediaState};
use std::{fs, path::Path, sync::Arc, time::Duration};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

struct Blind;

impl Painter for Blind {
    fn paint(&self, _: Tile, _: Option<Arc<Frame>>) {}

    fn drawn(&self, _: Tile) -> (u64, Option<i64>) {
        (0, None)
    }
}

fn write_film(path: &Path) {
    let mut film = b"YUV4MPEG2 W64 H64 F30:1 Ip A1:1 C420jpeg\n".to_vec();
    for luma in [40, 200] {
        film.extend(b"FRAME\n");
        film.extend([vec![luma; 64 * 64], vec![128; 2 * 32 * 32]].concat());
    }
    fs::write(path, film).expect("the film can be written");
}

/// What the session says about its camera next: `None` when it works, else the code and what is done about it.
async fn next_camera_event(events: &mut UnboundedReceiver<MediaEvent>) -> Option<(ErrorCode, String)> {
    let wanted = async {
        loop {
            match events.recv().await.expect("the session goes on") {
                MediaEvent::DeviceReady {
                    kind: DeviceKind::Camera,
                } => return None,
                MediaEvent::DeviceProblem {
                    kind: DeviceKind::Camera,
                    problem,
                } => return Some((problem.code, problem.next_step)),
                _ => {}
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wanted)
        .await
        .expect("in time")
}

async fn until_it_works(events: &mut UnboundedReceiver<MediaEvent>) {
    while next_camera_event(events).await.is_some() {}
}

fn session(camera: &str, others: &[&str], events: UnboundedSender<MediaEvent>) -> Session {
    let config = SessionConfig {
        camera: Some(camera.into()),
        other_cameras: others.iter().map(|&id| id.into()).collect(),
        microphone: Some("synthetic:microphone".into()),
        start_with: MediaState {
            microphone: true,
            camera: true,
            screen: false,
        },
        ..Default::default()
    };
    Session::start(config, Arc::new(Blind), events)
}

#[test]
fn a_camera_that_goes_is_named_and_taken_back_when_it_returns() {
    let folder = std::env::temp_dir().join(format!("sightline-film-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let (film, spare) = (folder.join("desk.y4m"), folder.join("spare.y4m"));
    write_film(&film);
    write_film(&spare);
    // SAFETY: the only test of this binary, before it starts a thread.
    unsafe { std::env::set_var("SIGHTLINE_MEDIA_DIR", &folder) };
    let listed = sightline_media::list_devices();
    let id = |name: &str| {
        let device = listed.iter().find(|device| device.name == name);
        device.expect("the film is a camera").id.clone()
    };
    let (desk_camera, spare_camera) = (id("File: desk.y4m"), id("File: spare.y4m"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");

    // Alone: no picture until it is back.
    let (sender, mut events) = unbounded_channel();
    let alone = session(&desk_camera, &[], sender);
    runtime.block_on(async {
        assert_eq!(next_camera_event(&mut events).await, None);
        fs::write(&film, b"").expect("the film can be emptied");
        let (code, advice) = next_camera_event(&mut events).await.expect("a problem");
        assert_eq!(
            (code, advice.as_str()),
            (ErrorCode::CameraLost, ErrorCode::CameraLost.next_step())
        );
        write_film(&film);
        until_it_works(&mut events).await;
    });
    drop(alone);

    // With another one: it takes over at once, and gives way again.
    let (sender, mut events) = unbounded_channel();
    let together = session(&desk_camera, &[&spare_camera], sender);
    runtime.block_on(async {
        assert_eq!(next_camera_event(&mut events).await, None);
        fs::write(&film, b"").expect("the film can be emptied");
        assert_eq!(next_camera_event(&mut events).await, None, "the picture goes on");
        let (code, advice) = next_camera_event(&mut events).await.expect("and why it is another one");
        assert_eq!(code, ErrorCode::CameraLost);
        assert_eq!(advice, "File: spare.y4m is used until it is back.");
        write_film(&film);
        until_it_works(&mut events).await;
    });
    drop(together);
    fs::remove_dir_all(&folder).expect("the folder can be removed");
}
