//! The desk's [`Shell`]: the window, the tray and the notifications of this machine.

use crate::{
    mailbox::Mailbox,
    notification,
    painting::Painting,
    tray::{self, Tray},
    window::MAIN,
};
use sightline_desk::Shell;
use sightline_media::Painter;
use sightline_wire::desk::{DeskEvent, PainterView, StageLayout};
use std::sync::Arc;
use tauri::{AppHandle, Manager};

/// Reaches everything the controller may touch.
pub struct TauriShell {
    app: AppHandle,
    mailbox: Arc<Mailbox>,
    painting: Painting,
    tray: Arc<Tray>,
}

impl TauriShell {
    /// Around an open window.
    pub fn new(app: AppHandle, mailbox: Arc<Mailbox>, painting: Painting, tray: Tray) -> Self {
        Self {
            app,
            mailbox,
            painting,
            tray: Arc::new(tray),
        }
    }
}

impl Shell for TauriShell {
    fn emit(&self, event: DeskEvent) {
        self.mailbox.put(event);
    }

    fn notify(&self, title: &str, body: &str) {
        notification::show(title, body);
    }

    fn set_attention(&self, unread: usize) {
        let (app, tray) = (self.app.clone(), self.tray.clone());
        let told = self.app.run_on_main_thread(move || {
            tray.set_attention(unread);
            if let Some(window) = app.get_webview_window(MAIN)
                && let Err(error) = window.set_title(&tray::title(unread))
            {
                tracing::debug!(%error, "the window's title was not changed");
            }
        });
        if let Err(error) = told {
            tracing::debug!(%error, "the main loop has ended");
        }
    }

    fn open(&self, url: &str) -> bool {
        let opened = open::that_detached(url);
        if let Err(error) = &opened {
            tracing::warn!(%error, "the system's browser was not opened");
        }
        opened.is_ok()
    }

    fn close(&self) {
        self.app.exit(0);
    }

    fn painter(&self) -> Arc<dyn Painter> {
        self.painting.painter()
    }

    fn painter_view(&self) -> PainterView {
        self.painting.view()
    }

    fn set_layout(&self, layout: StageLayout) {
        self.painting.set_layout(layout);
    }
}
