//! The key that clients of PulseAudio send. The protocol wants its 256 bytes even from those whom the server lets in
//! without one, and PipeWire's own server turns everybody else away. Whoever comes first makes it, as every client with
//! libpulse does; on a system where none has run yet that is this one.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
};

const BYTES: usize = 256;

/// Makes the key where there is none, readable for its owner alone.
///
/// # Errors
/// There is no home, or nothing can be written there.
pub fn make() -> io::Result<()> {
    if pulseaudio::cookie_path_from_env().is_some() {
        return Ok(());
    }
    let home = std::env::var_os("HOME").ok_or(io::ErrorKind::NotFound)?;
    let folder = PathBuf::from(home).join(".config/pulse");
    fs::create_dir_all(&folder)?;
    let mut key = [0; BYTES];
    getrandom::fill(&mut key)?;
    let mut open = OpenOptions::new();
    let made = open
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(folder.join("cookie"));
    match made {
        Ok(mut file) => file.write_all(&key),
        // Another program was quicker.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}
