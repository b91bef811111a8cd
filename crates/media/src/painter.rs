//! Where decoded pictures go.

pub use sightline_picture::Frame;

use std::sync::Arc;

/// Which picture of the stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tile {
    /// The customer's.
    Remote,
    /// The agent's own.
    Own,
}

/// Shows pictures. Called from media threads; must return at once and may drop all but the newest.
pub trait Painter: Send + Sync {
    /// Shows `frame` in `tile`, or nothing any more when the picture is gone.
    fn paint(&self, tile: Tile, frame: Option<Arc<Frame>>);

    /// How many frames have really been drawn in `tile` since its last `paint(tile, None)`,
    /// and when the first of them was (Unix milliseconds).
    fn drawn(&self, tile: Tile) -> (u64, Option<i64>);
}
