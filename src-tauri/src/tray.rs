//! The tray icon. A desktop without a tray, without its library or without D-Bus has no icon, and the
//! window says the same things.

use crate::window;
use tauri::{
    AppHandle,
    image::Image,
    menu::{MenuBuilder, MenuItemBuilder},
    tray::{MouseButton, MouseButtonState, TrayIcon, TrayIconBuilder, TrayIconEvent},
};

const CALM: &[u8] = include_bytes!("../../icons/tray.png");
const ATTENTION: &[u8] = include_bytes!("../../icons/tray-attention.png");

/// The icon, where there is one.
pub struct Tray {
    icon: Option<TrayIcon>,
}

impl Tray {
    /// Puts the icon into the tray; on the main thread.
    pub fn install(app: &AppHandle) -> Self {
        if !has_library() {
            tracing::info!("no tray: libayatana-appindicator3 is not installed");
            return Self { icon: None };
        }
        let icon = build(app).map_err(|error| tracing::warn!(%error, "no tray")).ok();
        Self { icon }
    }

    /// How many conversations want the agent's eyes; on the main thread.
    pub fn set_attention(&self, unread: usize) {
        let Some(icon) = &self.icon else { return };
        let image = Image::from_bytes(if unread == 0 { CALM } else { ATTENTION });
        let count = (unread > 0).then(|| unread.to_string());
        let told = image
            .and_then(|image| icon.set_icon(Some(image)))
            .and_then(|()| icon.set_title(count))
            .and_then(|()| icon.set_tooltip(Some(title(unread))));
        if let Err(error) = told {
            tracing::debug!(%error, "the tray icon was not changed");
        }
    }
}

/// What tray and window say.
pub fn title(unread: usize) -> String {
    match unread {
        0 => "Sightline".into(),
        1 => "(1) Sightline".into(),
        more => format!("({more}) Sightline"),
    }
}

fn build(app: &AppHandle) -> tauri::Result<TrayIcon> {
    let show = MenuItemBuilder::with_id("show", "Show Sightline").build(app)?;
    let quit = MenuItemBuilder::with_id("quit", "Quit").build(app)?;
    let menu = MenuBuilder::new(app).items(&[&show, &quit]).build()?;
    TrayIconBuilder::with_id("main")
        .icon(Image::from_bytes(CALM)?)
        .tooltip(title(0))
        .menu(&menu)
        .show_menu_on_left_click(false)
        .on_menu_event(|app, event| match event.id().as_ref() {
            "show" => window::show(app),
            "quit" => window::ask_to_close(app),
            _ => {}
        })
        .on_tray_icon_event(|icon, event| {
            if let TrayIconEvent::Click {
                button: MouseButton::Left,
                button_state: MouseButtonState::Up,
                ..
            } = event
            {
                window::show(icon.app_handle());
            }
        })
        .build(app)
}

/// The library is loaded at run time, and its loader panics when it is missing.
#[cfg(target_os = "linux")]
fn has_library() -> bool {
    ["libayatana-appindicator3.so.1", "libappindicator3.so.1"]
        .into_iter()
        .any(|name| {
            // SAFETY: both libraries only register GObject types when they are loaded, and the tray is about to
            // load the same one.
            unsafe { libloading::Library::new(name) }.is_ok()
        })
}

#[cfg(not(target_os = "linux"))]
fn has_library() -> bool {
    true
}
