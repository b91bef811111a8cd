//! One picture.

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
