//! What has to be settled before GTK and WebKit start.

/// What is chosen where there is no GPU: WebKit's DMABUF renderer draws four times dearer there and takes 83 MB more
/// than its plain one, and GTK would load all of OpenGL only to ask for its visuals.
#[cfg(target_os = "linux")]
const WITHOUT_GPU: [(&str, &str); 2] = [("WEBKIT_DISABLE_DMABUF_RENDERER", "1"), ("GDK_GL", "disable")];

/// The page's engine looks through its memory each time it has grown by a share of the machine's, 32 MB at least where
/// there is plenty. Told of 128 MB it does so after 8, and the page needs 20.
#[cfg(target_os = "linux")]
const ANYWHERE: [(&str, &str); 1] = [("JSC_forceRAMSize", "134217728")];

/// Settles how the window is drawn and what its page may hold, where nobody has chosen it already.
#[cfg(target_os = "linux")]
pub fn prepare() {
    let without_gpu = WITHOUT_GPU.iter().filter(|_| !has_gpu());
    for (name, value) in ANYWHERE.iter().chain(without_gpu) {
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
