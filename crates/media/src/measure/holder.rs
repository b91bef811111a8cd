//! Which program has a device.

use std::path::Path;

/// The program that has this device file open, by its name; `None` when nobody else has it, or the system does not
/// tell (of other people's programs only root is told).
#[cfg(target_os = "linux")]
pub(super) fn of(node: &Path) -> Option<String> {
    use std::fs;
    /// They open every camera to look at it, and take none.
    const LOOK_ONLY: [&str; 2] = ["wireplumber", "pipewire"];

    let own = std::process::id();
    let processes = fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| {
        let number: u32 = entry.file_name().to_str()?.parse().ok()?;
        (number != own).then(|| entry.path())
    });
    let holds = |process: &std::path::PathBuf| {
        let mut files = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
        files.any(|file| fs::read_link(file.path()).is_ok_and(|open| open == node))
    };
    let mut names: Vec<String> = processes.filter(holds).filter_map(|process| name(&process)).collect();
    // The one that takes pictures first.
    names.sort_by_key(|name| LOOK_ONLY.contains(&name.as_str()));
    names.into_iter().next()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn of(_: &Path) -> Option<String> {
    None
}

/// As the kernel knows it; that name ends after 15 bytes, and then the program file's is better.
#[cfg(target_os = "linux")]
fn name(process: &Path) -> Option<String> {
    const CUT: usize = 15;
    let name = std::fs::read_to_string(process.join("comm"))
        .ok()?
        .trim_end()
        .to_owned();
    let file = std::fs::read_link(process.join("exe")).ok();
    let file = file.as_deref().and_then(Path::file_name).and_then(|file| file.to_str());
    let longer = file.filter(|file| name.len() == CUT && file.starts_with(&name));
    Some(longer.map_or(name.clone(), str::to_owned))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{
        env, fs,
        process::{self, Command},
    };

    #[test]
    fn the_program_that_has_a_file_open_is_named_and_this_one_is_not() {
        let node = env::temp_dir().join(format!("sightline-holder-{}", process::id()));
        let file = fs::File::create(&node).expect("a file");
        assert_eq!(super::of(&node), None, "only this program has it");
        let mut holder = Command::new("sleep").arg("60").stdin(file).spawn().expect("sleep runs");
        let found = super::of(&node);
        // It may have ended by itself.
        let _ = holder.kill();
        let _ = holder.wait();
        fs::remove_file(&node).expect("the file is ours");
        assert_eq!(found.as_deref(), Some("sleep"));
    }
}
