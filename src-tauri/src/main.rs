//! The shell around the desk: window, tray, notifications, and the server when there is no other.
//! What the desk does is in `sightline-desk`.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod commands;
mod data_dir;
mod embedded;
mod mailbox;
mod memory;
mod notification;
mod options;
mod painting;
mod selftest;
mod shell;
#[cfg(target_os = "linux")]
mod stage;
mod tray;
mod webview;
mod window;

use std::process::ExitCode;

fn main() -> ExitCode {
    memory::keep_small();
    if let Some(arguments) = selftest::asked_for() {
        return selftest::run(&arguments);
    }
    options::start_log("info");
    let options = match options::Options::read() {
        Ok(options) => options,
        Err(usage) => return stop(&usage),
    };
    let _lock = match data_dir::lock(&options.data_dir) {
        Ok(lock) => lock,
        Err(reason) => return stop(&reason),
    };
    webview::prepare();
    match window::run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => stop(&format!("Sightline cannot open its window: {error}")),
    }
}

/// Before there is a window, the terminal is the only place to say something.
fn stop(reason: &str) -> ExitCode {
    eprintln!("{reason}");
    ExitCode::FAILURE
}
