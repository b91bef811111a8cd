//! Networks of their own for tests: namespaces, links between them, and a TURN server inside.
//!
//! They need root and `ip` (iproute2); without either a test fails and says so.

#![allow(dead_code, reason = "each test uses the part of it that it needs")]

use std::{
    fs::File,
    os::fd::AsRawFd,
    process::{Child, Command, Stdio},
    thread,
};

/// A network namespace; gone when dropped, with every link in it.
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Its name starts with the test's process id, so that tests do not meet.
    pub fn new(name: &str) -> Self {
        let name = format!("net-{}-{name}", std::process::id());
        let made = Command::new("ip").args(["netns", "add", &name]).output();
        let made = made.expect("this test needs `ip` from the package iproute2");
        assert!(
            made.status.success(),
            "this test needs root, for network namespaces: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        let namespace = Self { name };
        namespace.ip("link set lo up");
        namespace
    }

    /// `ip` inside.
    pub fn ip(&self, arguments: &str) {
        let done = Command::new("ip")
            .args(["-n", &self.name])
            .args(arguments.split(' '))
            .output()
            .expect("ip runs");
        assert!(
            done.status.success(),
            "ip {arguments}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
    }

    /// Joins this one and `other` by a cable: names and addresses of its two ends.
    pub fn connect(&self, (name, address): (&str, &str), other: &Namespace, (far_name, far_address): (&str, &str)) {
        self.ip(&format!(
            "link add {name} type veth peer name {far_name} netns {}",
            other.name
        ));
        for (namespace, name, address) in [(self, name, address), (other, far_name, far_address)] {
            namespace.ip(&format!("addr add {address} dev {name}"));
            namespace.ip(&format!("link set {name} up"));
        }
    }

    /// Bytes sent through a link so far.
    pub fn sent(&self, link: &str) -> u64 {
        let shown = Command::new("ip")
            .args(["-n", &self.name, "-s", "link", "show", "dev", link])
            .output()
            .expect("ip runs");
        let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
        let figures = shown.lines().skip_while(|line| !line.contains("TX:")).nth(1);
        figures
            .and_then(|line| line.split_whitespace().next()?.parse().ok())
            .expect("ip shows what was sent")
    }

    /// Sets a kernel parameter, as `net/ipv4/ip_forward`.
    pub fn set(&self, parameter: &str, value: &str) {
        self.enter(|| std::fs::write(format!("/proc/sys/{parameter}"), value).expect("a parameter of this kernel"));
    }

    /// Does something inside. Threads that it starts stay inside.
    pub fn enter<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        let entered = || {
            let namespace = File::open(format!("/run/netns/{}", self.name)).expect("the namespace exists");
            // SAFETY: the descriptor is open for the length of the call; only this thread changes its network.
            assert_eq!(unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) }, 0);
            act()
        };
        thread::scope(|scope| scope.spawn(entered).join().expect("no panic inside"))
    }

    /// A program inside.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let gone = Command::new("ip").args(["netns", "del", &self.name]).status();
        assert!(gone.is_ok_and(|status| status.success()) || thread::panicking());
    }
}

/// A program that is ended with the test.
pub struct Running(Child);

impl Running {
    /// Starts it quietly.
    pub fn start(command: &mut Command) -> Self {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(child.spawn().expect("the program is installed (scripts/setup)"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
