//! The real `sightline-server`, as a process of its own.

use serde_json::json;
use std::{path::Path, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

const SERVER: &str = env!("CARGO_BIN_EXE_sightline-server");

pub struct Program {
    child: Child,
    pub url: String,
}

impl Program {
    pub async fn start(database: &Path, bind: &str, password: &str) -> Self {
        Self::run(quiet(Command::new(SERVER)), database, bind, password).await
    }

    /// The same with a limit on the size of every file it writes, in KiB: a disk that gets full.
    pub async fn with_little_disk(database: &Path, kib: u32, password: &str) -> Self {
        let mut shell = Command::new("bash");
        // Ignored, the signal becomes an error of the write, as on a full disk.
        shell
            .arg("-c")
            .arg(format!("trap '' XFSZ; ulimit -f {kib}; exec \"$0\""))
            .arg(SERVER);
        Self::run(quiet(shell), database, "127.0.0.1:0", password).await
    }

    /// The same with what it logs at the usual level in a file.
    pub async fn logging(database: &Path, log: &Path, password: &str) -> Self {
        let mut command = Command::new(SERVER);
        command
            .stderr(std::fs::File::create(log).unwrap())
            .env("SIGHTLINE_LOG", "info");
        Self::run(command, database, "127.0.0.1:0", password).await
    }

    /// The same with a deployment's file and variables of its own; `admin` is an account beside `agent`.
    pub async fn configured(
        database: &Path,
        bind: &str,
        password: &str,
        file: &Path,
        variables: &[(&str, String)],
    ) -> Self {
        let mut command = quiet(Command::new(SERVER));
        command.env("SIGHTLINE_CONFIG", file).envs(variables.iter().cloned());
        Self::run(command, database, bind, password).await
    }

    async fn run(mut command: Command, database: &Path, bind: &str, password: &str) -> Self {
        let mut child = command
            .env("SIGHTLINE_DATABASE", database)
            .env("SIGHTLINE_BIND", bind)
            .env("SIGHTLINE_FIRST_ACCOUNTS_STDIN", "1")
            .env("SIGHTLINE_READINESS", "advised")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let accounts = ["agent", "admin"].map(
            |role| json!({ "email": format!("{role}@example.test"), "name": role, "role": role, "password": password }),
        );
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(json!(accounts).to_string().as_bytes()).await.unwrap();
        drop(stdin);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = timeout(Duration::from_secs(20), async {
            while let Some(line) = lines.next_line().await.unwrap() {
                let said: serde_json::Value = serde_json::from_str(&line).unwrap();
                if let Some(url) = said["listening"].as_str() {
                    return url.to_string();
                }
            }
            panic!("the server ended")
        })
        .await
        .expect("the server did not start");
        Self { child, url }
    }

    /// SIGKILL; nothing is tidied up.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    pub fn bind(&self) -> String {
        self.url.trim_start_matches("http://").to_string()
    }
}

fn quiet(mut command: Command) -> Command {
    command.env("SIGHTLINE_LOG", "off");
    command
}
