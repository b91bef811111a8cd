//! Screens to share: windows and monitors of X11, and a test page, all chosen from the same list.
//!
//! Wayland's portal, Windows and macOS belong behind the same trait; until they are there the list says that
//! this system shares none.

mod synthetic;
#[cfg(target_os = "linux")]
mod x11;

use crate::{
    painter::Frame,
    picture::to_bgrx,
    scale::{Crop, Scaler},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sightline_wire::{
    ErrorCode, Problem,
    screen::{ScreenKind, ScreenList, ScreenSource},
};

/// A screen whose changes can be watched.
pub trait Screen {
    /// The whole picture when it has changed since the last call, nothing while it stands still. Never waits.
    fn grab(&mut self) -> Result<Option<Frame>, ScreenFault>;
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum ScreenFault {
    /// The window was closed or the monitor unplugged.
    #[error("what was shared is gone")]
    Gone,
    /// This system gives no picture of its screens.
    #[error("not available: {0}")]
    Unavailable(String),
}

impl ScreenFault {
    /// For the person in front of the screen.
    pub fn problem(&self) -> Problem {
        Problem::new(match self {
            ScreenFault::Gone => ErrorCode::ScreenGone,
            ScreenFault::Unavailable(_) => ErrorCode::ScreenUnavailable,
        })
    }
}

/// The id of the test page.
pub const SYNTHETIC: &str = "synthetic:screen";

/// Pictures larger than this are made smaller: more costs bits and shows no more text on the customer's screen.
pub const LARGEST: (u32, u32) = (2560, 1440);

/// Size of a preview in the picker.
const PREVIEW: (u32, u32) = (240, 150);

/// Everything that can be shared now, with small pictures. May take a moment: call it off the main thread.
pub fn list() -> ScreenList {
    let (mut sources, problem) = match native_list() {
        Ok(sources) => (sources, None),
        Err(fault) => {
            tracing::info!(%fault, "no screens to share");
            (Vec::new(), Some(fault.problem()))
        }
    };
    let mut page = synthetic::TestPage::new();
    sources.push(ScreenSource {
        id: SYNTHETIC.into(),
        kind: ScreenKind::Test,
        name: "Test page".into(),
        width: synthetic::WIDTH,
        height: synthetic::HEIGHT,
        preview: page.grab().ok().flatten().and_then(|frame| preview(&frame)),
    });
    ScreenList { sources, problem }
}

/// Opens what [`list`] named.
pub fn open(id: &str) -> Result<Box<dyn Screen>, ScreenFault> {
    match id {
        SYNTHETIC => Ok(Box::new(synthetic::TestPage::new())),
        id => native_open(id),
    }
}

#[cfg(target_os = "linux")]
fn native_list() -> Result<Vec<ScreenSource>, ScreenFault> {
    x11::list()
}

#[cfg(target_os = "linux")]
fn native_open(id: &str) -> Result<Box<dyn Screen>, ScreenFault> {
    Ok(Box::new(x11::Capture::open(id)?))
}

#[cfg(not(target_os = "linux"))]
fn native_list() -> Result<Vec<ScreenSource>, ScreenFault> {
    Err(ScreenFault::Unavailable("no capture for this system yet".into()))
}

#[cfg(not(target_os = "linux"))]
fn native_open(_: &str) -> Result<Box<dyn Screen>, ScreenFault> {
    Err(ScreenFault::Unavailable("no capture for this system yet".into()))
}

/// A small PNG of a picture.
fn preview(frame: &Frame) -> Option<String> {
    let fit = f64::min(
        f64::from(PREVIEW.0) / f64::from(frame.width),
        f64::from(PREVIEW.1) / f64::from(frame.height),
    );
    let size = |pixels: u32| (f64::from(pixels) * fit.min(1.0)).round() as u32;
    let (width, height) = (size(frame.width), size(frame.height));
    let small = Scaler::default().scale(frame, Crop::whole(frame), width, height);
    let mut pixels = vec![0; (small.width * small.height * 4) as usize];
    to_bgrx(&small, &mut pixels, small.width * 4);
    let rgb: Vec<u8> = pixels.chunks_exact(4).flat_map(|p| [p[2], p[1], p[0]]).collect();
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, small.width, small.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&rgb).ok()?;
    writer.finish().ok()?;
    Some(format!("data:image/png;base64,{}", STANDARD.encode(file)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::barcode;

    #[test]
    fn the_test_page_is_listed_moves_and_can_be_read() {
        let listed = list();
        let page = listed.sources.last().expect("the test page");
        assert_eq!(page.kind, ScreenKind::Test);
        assert!(
            page.preview
                .as_ref()
                .is_some_and(|url| url.starts_with("data:image/png;base64,"))
        );
        let mut screen = open(&page.id).expect("opens");
        let first = screen.grab().expect("works").expect("a picture");
        assert_eq!((first.width, first.height), (page.width, page.height));
        assert!(barcode::read(&first).is_some());
    }

    #[test]
    fn a_window_that_does_not_exist_is_named() {
        let fault = open("x11:window:7").err().expect("no such window");
        let code = fault.problem().code;
        assert!(matches!(code, ErrorCode::ScreenGone | ErrorCode::ScreenUnavailable));
        assert!(open("nonsense").is_err());
    }
}
