//! The report or the board, as a file in the person's download folder.

use super::TestNews;
use crate::{
    controller::{Controller, Input, answer},
    courier::Reply,
    selftest::file_name,
    shell::Shell,
};
use sightline_wire::{ErrorCode, Problem};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Files of the same minute.
const MOST_NAMES: u32 = 100;

impl<S: Shell> Controller<S> {
    pub(in crate::controller) fn save_readiness(&self, board: bool, reply: Reply) {
        let api = match board {
            true => self.client().map(Some),
            false => Ok(None),
        };
        let report = match (&self.testing.last, board) {
            (Some(last), false) => serde_json::to_vec_pretty(last).unwrap_or_default(),
            (None, false) => {
                let problem = Problem::new(ErrorCode::NotFound).saying("No self-test has been run yet.");
                return answer(reply, Err(problem.advising("Run one, then save it.")));
            }
            (_, true) => Vec::new(),
        };
        let api = match api {
            Ok(api) => api,
            Err(problem) => return answer(reply, Err(problem)),
        };
        let (inputs, folder) = (self.inputs.clone(), self.downloads.clone());
        tokio::spawn(async move {
            let (content, name) = match api {
                Some(api) => match api.board_csv().await {
                    Ok(csv) => (csv, file_name("readiness", crate::now(), "csv")),
                    Err(problem) => return answer(reply, Err(problem)),
                },
                None => (report, file_name("self-test", crate::now(), "json")),
            };
            let written = tokio::task::spawn_blocking(move || write(&folder, &name, &content)).await;
            match written {
                Ok(Ok(path)) => {
                    let path = path.display().to_string();
                    inputs.send(Input::Test(TestNews::Saved { path, reply }));
                }
                Ok(Err(error)) => {
                    tracing::warn!(%error, "a file could not be saved");
                    answer(reply, Err(ErrorCode::StorageFailed.into()));
                }
                Err(_) => answer(reply, Err(ErrorCode::Internal.into())),
            }
        });
    }
}

/// Never over a file that is there already.
fn write(folder: &Path, name: &str, content: &[u8]) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, "txt"));
    for number in 1..MOST_NAMES {
        let path = match number {
            1 => folder.join(name),
            _ => folder.join(format!("{stem}-{number}.{ending}")),
        };
        match File::options().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                file.write_all(content)?;
                return Ok(path);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_over() {
        let folder = std::env::temp_dir().join(format!("sightline-save-{}", uuid::Uuid::new_v4()));
        let first = write(&folder, "a.b.json", b"1").expect("writes");
        let second = write(&folder, "a.b.json", b"2").expect("writes");
        assert_eq!(first, folder.join("a.b.json"));
        assert_eq!(second, folder.join("a.b-2.json"));
        assert_eq!(fs::read(first).expect("reads"), b"1");
        fs::remove_dir_all(&folder).expect("removes");
    }
}
