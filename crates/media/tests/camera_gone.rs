//! A camera that goes away in the call and comes back: a Y4M file that is emptied and written again.

use sightline_media::{Frame, MediaEvent, Painter, Session, SessionConfig, Tile};
use sightline_wire::{ErrorCode, device::DeviceKind, room::MediaState};
use std::{fs, path::Path, sync::Arc, time::Duration};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

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

async fn next_camera_event(events: &mut UnboundedReceiver<MediaEvent>) -> Option<ErrorCode> {
    let wanted = async {
        loop {
            match events.recv().await.expect("the session goes on") {
                MediaEvent::DeviceReady {
                    kind: DeviceKind::Camera,
                } => return None,
                MediaEvent::DeviceProblem {
                    kind: DeviceKind::Camera,
                    problem,
                } => return Some(problem.code),
                _ => {}
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wanted)
        .await
        .expect("in time")
}

#[test]
fn a_camera_that_goes_is_named_and_taken_back_when_it_returns() {
    let folder = std::env::temp_dir().join(format!("sightline-film-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let film = folder.join("desk.y4m");
    write_film(&film);
    // SAFETY: the only test of this binary, before it starts a thread.
    unsafe { std::env::set_var("SIGHTLINE_MEDIA_DIR", &folder) };
    let listed = sightline_media::list_devices();
    let camera = listed
        .iter()
        .find(|device| device.name == "File: desk.y4m")
        .expect("the film is a camera");

    let config = SessionConfig {
        camera: Some(camera.id.clone()),
        microphone: Some("synthetic:microphone".into()),
        start_with: MediaState {
            microphone: true,
            camera: true,
            screen: false,
        },
        ..Default::default()
    };
    let (sender, mut events) = unbounded_channel();
    let session = Session::start(config, Arc::new(Blind), sender);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        assert_eq!(next_camera_event(&mut events).await, None);
        fs::write(&film, b"").expect("the film can be emptied");
        assert_eq!(next_camera_event(&mut events).await, Some(ErrorCode::CameraLost));
        write_film(&film);
        let mut next = next_camera_event(&mut events).await;
        while next.is_some() {
            next = next_camera_event(&mut events).await;
        }
    });
    drop(session);
    fs::remove_dir_all(&folder).expect("the folder can be removed");
}
