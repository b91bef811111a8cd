//! What an agent can share: windows, monitors, and the product's own test page.

use crate::Problem;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Kinds of picture to share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ScreenKind {
    /// One window, whatever lies over it.
    Window,
    /// Everything on a monitor.
    Monitor,
    /// A moving test page.
    Test,
}

/// Something that can be shared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ScreenSource {
    /// Good while the window is open or the monitor plugged in.
    pub id: String,
    /// What it is.
    pub kind: ScreenKind,
    /// The window's title or the monitor's name.
    pub name: String,
    /// In device pixels.
    pub width: u32,
    /// In device pixels.
    pub height: u32,
    /// A small picture of it, as a `data:` URL; absent when it cannot be seen at the moment.
    pub preview: Option<String>,
}

/// All that can be shared now: windows first, because they show least.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ScreenList {
    /// Windows, monitors, the test page.
    pub sources: Vec<ScreenSource>,
    /// Why windows and monitors are missing, where this system shares none.
    pub problem: Option<Problem>,
}
