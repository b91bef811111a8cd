//! Y4M and WAV files as devices: whatever lies in the media folder can be chosen.
//!
//! The folder is `SIGHTLINE_MEDIA_DIR`, else `media` in the app's data folder.

use sightline_wire::device::{Device, DeviceKind};
use std::{env, fs, path::PathBuf};

const PREFIX: &str = "synthetic:file:";

fn folder() -> Option<PathBuf> {
    if let Some(folder) = env::var_os("SIGHTLINE_MEDIA_DIR") {
        return Some(folder.into());
    }
    let data = env::var_os("SIGHTLINE_DATA_DIR").map(PathBuf::from).or_else(|| {
        let home = env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
        let base = env::var_os("XDG_DATA_HOME").map(PathBuf::from).or(home)?;
        Some(base.join("app.sightline.desk"))
    })?;
    Some(data.join("media"))
}

/// The files with this ending, by name.
pub fn list(extension: &str, kind: DeviceKind) -> Vec<Device> {
    let entries = folder()
        .and_then(|folder| fs::read_dir(folder).ok())
        .into_iter()
        .flatten()
        .flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| {
            entry
                .path()
                .extension()
                .is_some_and(|found| found.eq_ignore_ascii_case(extension))
        })
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
        .into_iter()
        .map(|name| Device {
            id: format!("{PREFIX}{name}"),
            kind,
            name: format!("File: {name}"),
        })
        .collect()
}

/// The path behind a device id, when it is a file's. Never leaves the media folder.
pub fn path(id: &str) -> Option<PathBuf> {
    let name = id.strip_prefix(PREFIX)?;
    let plain = !name.contains(['/', '\\']) && name != "..";
    plain.then(folder).flatten().map(|folder| folder.join(name))
}

#[cfg(test)]
mod tests {
    #[test]
    fn ids_cannot_climb_out() {
        assert!(super::path("synthetic:file:../secret.wav").is_none());
        assert!(super::path("synthetic:file:..").is_none());
        assert!(super::path("synthetic:camera").is_none());
    }
}
