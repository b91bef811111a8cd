//! TUN devices of Linux, each in a network namespace of its own.

use std::{
    fs::{File, OpenOptions},
    io,
    os::{fd::AsRawFd, unix::fs::OpenOptionsExt},
    path::PathBuf,
    sync::mpsc,
    thread,
};

/// Opens a device of this name in the namespace of the calling thread: IP packets, no header before them.
pub fn open(name: &str) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NONBLOCK)
        .open("/dev/net/tun")?;
    // SAFETY: ifreq is plain data, for which zeroes are valid.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes().take(libc::IFNAMSIZ - 1)) {
        *to = from as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short;
    // SAFETY: TUNSETIFF reads and writes one ifreq, which lives until after the call.
    match unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw mut request) } {
        0 => Ok(file),
        _ => Err(io::Error::last_os_error()),
    }
}

/// A device in a namespace made for it, and the path by which others can enter that namespace. It lives as long
/// as this process.
pub fn open_elsewhere(name: &'static str) -> io::Result<(File, PathBuf)> {
    let (done, opened) = mpsc::channel();
    thread::spawn(move || {
        let result = leave_network().and_then(|()| open(name)).map(|file| {
            // SAFETY: takes nothing, and cannot fail.
            let thread = unsafe { libc::gettid() };
            (
                file,
                format!("/proc/{}/task/{thread}/ns/net", std::process::id()).into(),
            )
        });
        // The receiver waits for exactly this.
        let _ = done.send(result);
        // The namespace is found through this thread.
        loop {
            thread::park();
        }
    });
    opened.recv().unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into()))
}

fn leave_network() -> io::Result<()> {
    // SAFETY: only this thread moves into a new network namespace.
    match unsafe { libc::unshare(libc::CLONE_NEWNET) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
