//! Which way pictures reach the window: over the page on Linux, onto its canvases elsewhere.

#[cfg(target_os = "linux")]
use crate::stage::Stage;
use sightline_desk::canvas::CanvasPainter;
use sightline_media::Painter;
use sightline_wire::desk::{PainterView, StageLayout};
use std::sync::Arc;
use tauri::WebviewWindow;
use uuid::Uuid;

/// The way chosen at this start.
pub enum Painting {
    /// Painted by GTK, over the page.
    #[cfg(target_os = "linux")]
    Native(Arc<Stage>),
    /// Sent over loopback.
    Canvas(Arc<CanvasPainter>),
}

impl Painting {
    /// Chooses; on the main thread.
    #[cfg(target_os = "linux")]
    pub fn install(window: &WebviewWindow, canvas: bool) -> tauri::Result<Self> {
        if canvas {
            Self::canvas()
        } else {
            Ok(Self::Native(Stage::install(window)?))
        }
    }

    /// There is only one way here.
    #[cfg(not(target_os = "linux"))]
    pub fn install(_: &WebviewWindow, _: bool) -> tauri::Result<Self> {
        Self::canvas()
    }

    fn canvas() -> tauri::Result<Self> {
        let token = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        Ok(Self::Canvas(tauri::async_runtime::block_on(CanvasPainter::listen(
            token,
        ))?))
    }

    /// Where media threads put their pictures.
    pub fn painter(&self) -> Arc<dyn Painter> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Native(stage) => stage.clone(),
            Self::Canvas(canvas) => canvas.clone(),
        }
    }

    /// What the page has to know.
    pub fn view(&self) -> PainterView {
        match self {
            #[cfg(target_os = "linux")]
            Self::Native(_) => PainterView::Native,
            Self::Canvas(canvas) => canvas.view(),
        }
    }

    /// Where on the page they belong.
    pub fn set_layout(&self, layout: StageLayout) {
        match self {
            #[cfg(target_os = "linux")]
            Self::Native(stage) => stage.set_layout(layout),
            Self::Canvas(canvas) => canvas.set_layout(layout),
        }
    }
}
