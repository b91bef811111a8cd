//! Native notifications. A machine without a notification daemon simply shows none.

/// Shows one, beside the caller: the daemon may take its time.
pub fn show(title: &str, body: &str) {
    let mut notification = notify_rust::Notification::new();
    notification
        .appname("Sightline")
        .summary(title)
        .body(&plain(body))
        .icon("sightline");
    #[cfg(target_os = "linux")]
    notification.hint(notify_rust::Hint::Category("im.received".into()));
    tauri::async_runtime::spawn_blocking(move || {
        if let Err(error) = notification.show() {
            tracing::debug!(%error, "no notification was shown");
        }
    });
}

/// Notification daemons read markup in the body, and a customer chooses their own name.
fn plain(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
