//! What has to be settled before GTK and WebKit start.

/// What is chosen where there is no GPU: WebKit's DMABUF renderer draws four times dearer there and takes 83 MB more
/// than its plain one, and GTK would load all of OpenGL only to ask for its visuals.
#[cfg(target_os = "linux")]
const WITHOUT_GPU: [(&str, &str); 2] = [("WEBKIT_DISABLE_DMABUF_RENDERER", "1"), ("GDK_GL", "disable")];

/// Settles how the window is drawn, where nobody has chosen it already.
#[cfg(target_os = "linux")]
pub fn prepare() {
    if has_gpu() {
        return;
    }
    for (name, value) in WITHOUT_GPU {
        if std::env::var_os(name).is_none() {
            // SAFETY: this is the first thing `main` does after reading its options and no other thread has been
            // started, so nobody reads the environment at the same time.
            unsafe { std::env::set_var(name, value) };
        }
    }
}

/// Other systems bring their own webview.
#[cfg(not(target_os = "linux"))]
pub fn prepare() {}

#[cfg(target_os = "linux")]
fn has_gpu() -> bool {
    let Ok(nodes) = std::fs::read_dir("/dev/dri") else {
        return false;
    };
    nodes
        .flatten()
        .any(|node| node.file_name().to_string_lossy().starts_with("renderD"))
}
