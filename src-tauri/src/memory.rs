//! How the program asks the system for memory.

/// Blocks from here on are the system's own pages: larger than a picture of 1080p (3 MB), which comes and goes thirty
/// times a second, smaller than an encoder's tables (22 MB), most of which it never touches.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const OWN_PAGES: i32 = 4 << 20;
/// A heap that has more free than this at its end gives it back.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const SPARE: i32 = 8 << 20;

/// Fixes glibc's limits, before there is a second thread. By themselves they grow with the largest block that was ever
/// freed, up to 32 and 64 MB, and each call leaves a whole encoder behind at the end of its thread's heap.
pub fn keep_small() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: takes no pointer, and nothing else runs yet.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, OWN_PAGES);
        libc::mallopt(libc::M_TRIM_THRESHOLD, SPARE);
    }
}
