//! This machine: its disk, its keyring, what it allows, and which version of the app it runs.

use crate::keyring::Keyring;
use sightline_call::readiness::figures::{
    KeyringMeasured, Permission, PermissionsMeasured, StorageMeasured, VersionMeasured,
};
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::Path,
};
use uuid::Uuid;

/// What is written to the disk and read back: more than a file system keeps inside a directory entry.
const PROOF_BYTES: usize = 64 * 1024;

/// The folder for recordings and for what waits to be sent. Blocks for as long as the disk does.
pub fn storage(folder: &Path) -> StorageMeasured {
    let writable = write_and_read(folder)
        .inspect_err(|error| tracing::info!(%error, "the app's folder cannot be used"))
        .unwrap_or(false);
    StorageMeasured {
        free_bytes: free_bytes(folder).unwrap_or(0),
        writable,
    }
}

/// Whether what comes back is what was written, after it has reached the disk.
fn write_and_read(folder: &Path) -> io::Result<bool> {
    fs::create_dir_all(folder)?;
    let path = folder.join(format!("self-test-{}.tmp", Uuid::new_v4()));
    let proof = super::noise(PROOF_BYTES);
    let outcome = File::create(&path).and_then(|mut file| {
        file.write_all(&proof)?;
        file.sync_all()?;
        let mut back = Vec::with_capacity(PROOF_BYTES);
        File::open(&path)?.read_to_end(&mut back)?;
        Ok(back == proof)
    });
    match fs::remove_file(&path) {
        Err(error) if outcome.is_ok() => Err(error),
        _ => outcome,
    }
}

/// Free for this user, in bytes.
#[cfg(unix)]
#[allow(clippy::unnecessary_cast, reason = "the fields have other widths on other systems")]
fn free_bytes(folder: &Path) -> Option<u64> {
    use std::{ffi::CString, mem::MaybeUninit, os::unix::ffi::OsStrExt};
    let path = CString::new(folder.as_os_str().as_bytes()).ok()?;
    let mut found = MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: the path ends in a zero and lives through the call, which fills the structure when it returns 0.
    let found = unsafe {
        if libc::statvfs(path.as_ptr(), found.as_mut_ptr()) != 0 {
            return None;
        }
        found.assume_init()
    };
    Some((found.f_bavail as u64).saturating_mul(found.f_frsize as u64))
}

/// Free for this user, in bytes.
#[cfg(windows)]
fn free_bytes(folder: &Path) -> Option<u64> {
    use std::os::windows::ffi::OsStrExt;
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetDiskFreeSpaceExW(folder: *const u16, mine: *mut u64, total: *mut u64, free: *mut u64) -> i32;
    }
    let path: Vec<u16> = folder.as_os_str().encode_wide().chain([0]).collect();
    let (mut mine, mut total, mut free) = (0, 0, 0);
    // SAFETY: the path ends in a zero, and all pointers are to values that live through the call.
    let done = unsafe { GetDiskFreeSpaceExW(path.as_ptr(), &mut mine, &mut total, &mut free) };
    (done != 0).then_some(mine)
}

/// The place for secrets.
pub async fn keyring(keyring: &Keyring) -> KeyringMeasured {
    let (name, usable) = keyring.prove().await;
    KeyringMeasured {
        name: name.into(),
        usable,
    }
}

/// This app beside the oldest that is allowed; `minimum` is empty where every version is.
pub fn version(minimum: &str) -> VersionMeasured {
    VersionMeasured {
        own: env!("CARGO_PKG_VERSION").into(),
        minimum: minimum.into(),
    }
}

/// What the system allows, without asking the person. Blocks for a moment.
#[cfg(target_os = "linux")]
pub fn permissions() -> PermissionsMeasured {
    let nodes = |folder: &str, wanted: fn(&str) -> bool| -> Vec<_> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries
            .filter(|entry| entry.file_name().to_str().is_some_and(wanted))
            .map(|entry| entry.path())
            .collect()
    };
    let cameras = nodes("/dev", |name| name.starts_with("video"));
    let microphones = nodes("/dev/snd", |name| name.starts_with("pcm") && name.ends_with('c'));
    PermissionsMeasured {
        camera: may_open(&cameras),
        // A sound server opens the devices for everybody.
        microphone: if has_sound_server() {
            Permission::Untold
        } else {
            may_open(&microphones)
        },
    }
}

/// Device nodes belong to a group; whoever is not in it is told that there is no such device.
#[cfg(target_os = "linux")]
fn may_open(nodes: &[std::path::PathBuf]) -> Permission {
    use std::{ffi::CString, os::unix::ffi::OsStrExt};
    let may = |path: &std::path::PathBuf| {
        let path = CString::new(path.as_os_str().as_bytes());
        // SAFETY: the path ends in a zero and lives through the call.
        path.is_ok_and(|path| unsafe { libc::access(path.as_ptr(), libc::R_OK | libc::W_OK) == 0 })
    };
    match (nodes.is_empty(), nodes.iter().any(may)) {
        (true, _) => Permission::Untold,
        (false, true) => Permission::Granted,
        (false, false) => Permission::Denied,
    }
}

#[cfg(target_os = "linux")]
fn has_sound_server() -> bool {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(std::path::PathBuf::from);
    std::env::var_os("PULSE_SERVER").is_some() || runtime.is_some_and(|folder| folder.join("pulse/native").exists())
}

/// What the system allows, without asking the person. Blocks for a moment.
#[cfg(windows)]
pub fn permissions() -> PermissionsMeasured {
    PermissionsMeasured {
        camera: consent("webcam"),
        microphone: consent("microphone"),
    }
}

/// The switch of the privacy settings for programs that are not from the store, as `reg query` prints it.
#[cfg(windows)]
fn consent(what: &str) -> Permission {
    use std::{os::windows::process::CommandExt, process::Command};
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    const STORE: &str = r"Software\Microsoft\Windows\CurrentVersion\CapabilityAccessManager\ConsentStore";
    let says = |place: &str| {
        let asked = Command::new("reg")
            .args(["query", place, "/v", "Value"])
            .creation_flags(CREATE_NO_WINDOW)
            .output()
            .ok()?;
        let text = String::from_utf8_lossy(&asked.stdout).into_owned();
        text.split_whitespace().last().map(str::to_owned)
    };
    let places = [
        format!(r"HKLM\{STORE}\{what}"),
        format!(r"HKCU\{STORE}\{what}"),
        format!(r"HKCU\{STORE}\{what}\NonPackaged"),
    ];
    let answers: Vec<_> = places.iter().filter_map(|place| says(place)).collect();
    if answers.iter().any(|answer| answer == "Deny") {
        Permission::Denied
    } else if answers.iter().any(|answer| answer == "Allow") {
        Permission::Granted
    } else {
        Permission::Untold
    }
}

/// Elsewhere the system tells only whoever opens the device, which the checks of the devices do.
#[cfg(not(any(target_os = "linux", windows)))]
pub fn permissions() -> PermissionsMeasured {
    PermissionsMeasured {
        camera: Permission::Untold,
        microphone: Permission::Untold,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_proved_by_writing_and_left_as_it_was() {
        let folder = std::env::temp_dir().join(format!("sightline-storage-{}", Uuid::new_v4()));
        let measured = storage(&folder);
        assert!(measured.writable && measured.free_bytes > 0, "{measured:?}");
        assert_eq!(fs::read_dir(&folder).expect("it was made").count(), 0);
        fs::remove_dir_all(&folder).expect("it can be removed");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_not_writable() {
        let file = std::env::temp_dir().join(format!("sightline-storage-{}", Uuid::new_v4()));
        fs::write(&file, b"in the way").expect("a file can be written");
        assert!(!storage(&file.join("below")).writable);
        fs::remove_file(&file).expect("it can be removed");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn without_a_device_nothing_is_withheld() {
        assert_eq!(may_open(&[]), Permission::Untold);
        assert_eq!(may_open(&["/dev/null".into()]), Permission::Granted);
        assert_eq!(may_open(&["/nowhere/video0".into()]), Permission::Denied);
    }
}
