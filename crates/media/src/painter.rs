//! Where decoded pictures go.

use std::sync::Arc;

/// Which picture of the stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tile {
    /// The customer's.
    Remote,
    /// The agent's own.
    Own,
}

/// A picture in I420, planes without padding: `y` is `width * height`, `u` and `v` are
/// `ceil(width / 2) * ceil(height / 2)` bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Luma.
    pub y: Vec<u8>,
    /// Blue difference.
    pub u: Vec<u8>,
    /// Red difference.
    pub v: Vec<u8>,
}

/// Shows pictures. Called from media threads; must return at once and may drop all but the newest.
pub trait Painter: Send + Sync {
    /// Shows `frame` in `tile`, or nothing any more when the picture is gone.
    fn paint(&self, tile: Tile, frame: Option<Arc<Frame>>);

    /// How many frames have really been drawn in `tile` since its last `paint(tile, None)`,
    /// and when the first of them was (Unix milliseconds).
    fn drawn(&self, tile: Tile) -> (u64, Option<i64>);
}
