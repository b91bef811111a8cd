//! Prepares what Tauri builds into the program.

use std::{fs, path::Path};

/// Shown only by a program that was built before the page was.
const UNBUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Sightline</title>\
    <p>The window's page has not been built yet. Run <code>make run</code>.</p></html>\n";

fn main() {
    let dist = Path::new("../ui/desk/dist");
    if !dist.join("index.html").exists() {
        fs::create_dir_all(dist).expect("the page's folder can be made");
        fs::write(dist.join("index.html"), UNBUILT).expect("the page's folder can be written");
    }
    println!("cargo::rerun-if-changed=../ui/desk/dist");
    println!("cargo::rerun-if-changed=../icons");
    let manifest = tauri_build::AppManifest::new().commands(&["desk", "send_file", "listen", "events"]);
    tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest)).expect("Tauri's own build steps");
}
