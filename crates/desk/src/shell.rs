//! What the controller needs of the window around it.

use sightline_media::Painter;
use sightline_wire::desk::{DeskEvent, PainterView, StageLayout};
use std::sync::Arc;

/// The window, the tray and the notifications. No method may block.
pub trait Shell: Send + Sync + 'static {
    /// Tells the page.
    fn emit(&self, event: DeskEvent);

    /// Shows a native notification, where there is a place for one.
    fn notify(&self, title: &str, body: &str);

    /// How many conversations want the agent's eyes, for the tray and the window's title.
    fn set_attention(&self, unread: usize);

    /// Opens an address in the system's browser; whether there is one.
    fn open(&self, url: &str) -> bool;

    /// Closes the window and the app.
    fn close(&self);

    /// Where the call's pictures go.
    fn painter(&self) -> Arc<dyn Painter>;

    /// How the page has to prepare for them.
    fn painter_view(&self) -> PainterView;

    /// Where on the page they belong.
    fn set_layout(&self, layout: StageLayout);
}
