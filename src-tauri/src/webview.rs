//! What has to be settled before GTK and WebKit start.

/// What is chosen where there is no GPU: WebKit's DMABUF renderer draws four times dearer there and takes 83 MB more
/// than its plain one, and GTK would load all of OpenGL only to ask for its visuals.
#[cfg(target_os = "linux")]
const WITHOUT_GPU: [(&str, &str); 2] = [("WEBKIT_DISABLE_DMABUF_RENDERER", "1"), ("GDK_GL", "disable")];

/// How the page's engine collects. What a call shows outlives young collections, so that only a full one frees it, and
/// the engine waits with that until its heap has grown fourfold: so every collection is a full one, of a heap that at
/// most doubles (decision 7).
#[cfg(target_os = "linux")]
const COLLECTOR: [(&str, &str); 3] = [
    ("JSC_useGenerationalGC", "0"),
    ("JSC_heapGrowthMaxIncrease", "1"),
    ("JSC_largeHeapSize", "8388608"),
];

/// The page's scripts are run as they stand, not compiled: they draw and sort lists. The compiler and its code hold 26 MB
/// after one call, and half of what is more from call to call; without them no memory can be written and run (decision 7).
#[cfg(target_os = "linux")]
const NO_COMPILER: (&str, &str) = ("JSC_useJIT", "0");

/// Settles how the window is drawn and how its page's memory is kept, where nobody has chosen it already.
#[cfg(target_os = "linux")]
pub fn prepare() {
    COLLECTOR.into_iter().for_each(prefer);
    prefer(NO_COMPILER);
    if !has_gpu() {
        WITHOUT_GPU.into_iter().for_each(prefer);
    }
}

#[cfg(target_os = "linux")]
fn prefer((name, value): (&str, &str)) {
    if std::env::var_os(name).is_none() {
        // SAFETY: `prepare` is the first thing `main` does after reading its options and no other thread has been
        // started, so nobody reads the environment at the same time.
        unsafe { std::env::set_var(name, value) };
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
