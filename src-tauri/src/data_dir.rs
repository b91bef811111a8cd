//! One desk per data folder: two would send each other's outbox.

use std::{
    fs::{self, File, TryLockError},
    path::Path,
};

/// Held as long as the desk runs; the system lets go of it even after a crash.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Makes the folder and takes it. The error is a sentence for the person who started the second one.
pub fn lock(data_dir: &Path) -> Result<Lock, String> {
    let unusable = |error: std::io::Error| {
        format!(
            "Sightline cannot use its data folder {}: {error}. Choose another with --data-dir.",
            data_dir.display()
        )
    };
    fs::create_dir_all(data_dir).map_err(unusable)?;
    private(data_dir).map_err(unusable)?;
    let path = data_dir.join("desk.lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(Lock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(format!(
            "Sightline is already running with the data folder {}. Use its window, or choose another folder with \
             --data-dir.",
            data_dir.display()
        )),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

/// Conversations wait in there: nobody else on this machine may read them.
#[cfg(unix)]
fn private(data_dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(data_dir, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn private(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_start_is_told() {
        let dir = std::env::temp_dir().join(format!("sightline-lock-{}", std::process::id()));
        let first = lock(&dir).unwrap();
        assert!(lock(&dir).unwrap_err().contains("already running"));
        drop(first);
        assert!(lock(&dir).is_ok());
        fs::remove_dir_all(&dir).unwrap();
    }
}
