//! The one window and the main loop.

use crate::{
    commands, embedded::Embedded, mailbox::Mailbox, options::Options, painting::Painting, shell::TauriShell, tray::Tray,
};
use sightline_desk::{Desk, DeskConfig, DeskHandle, ServerSource, keyring::Keyring};
use std::{sync::Arc, time::Duration};
use tauri::{
    App, AppHandle, Manager, RunEvent, WebviewUrl, WebviewWindowBuilder, WindowEvent, webview::NewWindowResponse,
};

/// The window's label.
pub const MAIN: &str = "main";

/// A controller that does not answer by then must not keep the window open.
const CLOSE_ANSWER: Duration = Duration::from_secs(2);

/// How long a thread for blocking work waits for more. Tokio's ten seconds never pass, for the threads take turns: one
/// more that a single call needed would stay.
const IDLE_THREAD: Duration = Duration::from_millis(100);

/// Opens the window and runs until it is closed.
pub fn run(options: Options) -> tauri::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_keep_alive(IDLE_THREAD)
        .build()?;
    tauri::async_runtime::set(runtime.handle().clone());
    let embedded = Embedded::default();
    let serving = embedded.clone();
    let app = tauri::Builder::default()
        .invoke_handler(tauri::generate_handler![
            commands::desk,
            commands::send_file,
            commands::listen,
            commands::events
        ])
        .setup(move |app| Ok(open(app, options, serving)?))
        .on_window_event(|window, event| match event {
            WindowEvent::CloseRequested { api, .. } => {
                api.prevent_close();
                ask_to_close(window.app_handle());
            }
            WindowEvent::Focused(focused) => {
                if let Some(desk) = window.try_state::<DeskHandle>() {
                    desk.focus_changed(*focused);
                }
            }
            _ => {}
        })
        .build(tauri::generate_context!())?;
    app.run(move |_, event| {
        if matches!(event, RunEvent::Exit) {
            tauri::async_runtime::block_on(embedded.stop());
        }
    });
    Ok(())
}

/// Closes the app, unless the agent is in a call and has to confirm it first.
pub fn ask_to_close(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let may_close = match app.try_state::<DeskHandle>() {
            Some(desk) => tokio::time::timeout(CLOSE_ANSWER, desk.close_requested())
                .await
                .unwrap_or(true),
            None => true,
        };
        if may_close {
            app.exit(0);
        } else {
            show(&app);
        }
    });
}

/// Brings the window to the front.
pub fn show(app: &AppHandle) {
    let Some(window) = app.get_webview_window(MAIN) else {
        return;
    };
    let shown = window
        .show()
        .and_then(|()| window.unminimize())
        .and_then(|()| window.set_focus());
    if let Err(error) = shown {
        tracing::debug!(%error, "the window did not come to the front");
    }
}

fn open(app: &mut App, options: Options, embedded: Embedded) -> tauri::Result<()> {
    let window = WebviewWindowBuilder::new(app, MAIN, WebviewUrl::App("index.html".into()))
        .title("Sightline")
        .inner_size(1280.0, 800.0)
        .min_inner_size(1024.0, 700.0)
        .on_navigation(|url| url.scheme() == "tauri" || url.host_str() == Some("tauri.localhost"))
        .on_new_window(|_, _| NewWindowResponse::Deny)
        // Files that are dropped are the page's.
        .disable_drag_drop_handler()
        .build()?;
    let painting = Painting::install(&window, options.canvas)?;
    let tray = Tray::install(app.handle());
    let config = DeskConfig {
        data_dir: options.data_dir.clone(),
        downloads: options.downloads.clone(),
        server: match options.server.clone() {
            Some(url) => ServerSource::Url(url),
            None => ServerSource::starting(embedded.start(options)),
        },
        keyring: Keyring::system(),
    };
    let mailbox = Arc::new(Mailbox::default());
    app.manage(mailbox.clone());
    let shell = Arc::new(TauriShell::new(app.handle().clone(), mailbox, painting, tray));
    let desk = tauri::async_runtime::block_on(async { Desk::start(config, shell) });
    app.manage(desk);
    Ok(())
}
