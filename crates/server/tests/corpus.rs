//! The fuzzers' corpus, and what the network could make of it, through the functions that the fuzzers call (`fuzz/`).

use sightline_connect::fuzz::{Target, mutations};
use std::{
    collections::BTreeSet,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

/// Changed copies for each target.
const CHANGED: usize = 10_000;

/// The same where a whole connection is made for each.
const CHANGED_CALLS: usize = 1_000;

fn targets() -> Vec<Target> {
    let all = [
        sightline_connect::fuzz::TARGETS,
        sightline_wire::fuzz::TARGETS,
        sightline_server::fuzz::TARGETS,
        sightline_media::fuzz::TARGETS,
    ];
    all.concat()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// The texts of one target, in the order of their names.
fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = folder().join("corpus").join(name);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

/// Whether it was read. A panic is told with what it came from.
fn run((name, target): Target, from: &Path, data: &[u8]) -> bool {
    let done = catch_unwind(AssertUnwindSafe(|| target(data)));
    let text = String::from_utf8_lossy(data);
    done.unwrap_or_else(|_| panic!("{name} with {}: {text:?}", from.display()))
}

#[test]
fn every_text_of_the_corpus_is_read_or_refused() {
    for target in targets() {
        let texts = corpus(target.0);
        assert!(!texts.is_empty(), "{} has no corpus", target.0);
        // A corpus that is refused as a whole would lead nowhere.
        let read = texts.iter().filter(|(path, data)| run(target, path, data)).count();
        assert!(read > 0, "nothing of {} is read", target.0);
    }
}

#[test]
fn what_the_network_makes_of_it_is_read_or_refused() {
    for target in targets() {
        let texts = corpus(target.0);
        let count = match sightline_media::fuzz::TARGETS.iter().any(|(name, _)| *name == target.0) {
            true => CHANGED_CALLS,
            false => CHANGED,
        };
        for (path, data) in &texts {
            mutations(data, count.div_ceil(texts.len()), |changed| {
                run(target, path, changed);
            });
        }
    }
}

#[test]
fn every_target_has_its_fuzzer_and_every_folder_its_target() {
    let names: BTreeSet<String> = targets().iter().map(|(name, _)| (*name).to_owned()).collect();
    let listed = |folder: PathBuf| -> BTreeSet<String> {
        let files = fs::read_dir(folder).unwrap();
        let stem = |file: fs::DirEntry| file.path().file_stem().unwrap().to_string_lossy().into_owned();
        files.map(|file| stem(file.unwrap())).collect()
    };
    assert_eq!(listed(folder().join("corpus")), names);
    assert_eq!(listed(folder().join("targets")), names);
    let manifest = fs::read_to_string(folder().join("Cargo.toml")).unwrap();
    for name in names {
        assert!(
            manifest.contains(&format!("name = \"{name}\"\npath = \"targets/{name}.rs\"")),
            "{name}"
        );
    }
}
