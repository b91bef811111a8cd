//! A Y4M file, over and over (YUV4MPEG2, 4:2:0, progressive).

use super::{Camera, CameraFault};
use crate::painter::Frame;
use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Seek, SeekFrom},
    path::Path,
    thread,
    time::{Duration, Instant},
};

pub struct Y4mFile {
    file: BufReader<File>,
    header: Header,
    first_frame: u64,
    next: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Header {
    width: u32,
    height: u32,
    interval: Duration,
}

impl Y4mFile {
    pub fn open(path: &Path) -> Result<Self, CameraFault> {
        let mut file = BufReader::new(File::open(path).map_err(|_| CameraFault::Missing)?);
        let mut line = String::new();
        file.by_ref()
            .take(256)
            .read_line(&mut line)
            .map_err(|error| CameraFault::Lost(error.to_string()))?;
        let header = parse(&line).ok_or_else(|| CameraFault::Lost("not a 4:2:0 Y4M file".into()))?;
        Ok(Self {
            first_frame: line.len() as u64,
            file,
            header,
            next: Instant::now(),
        })
    }

    fn read(&mut self) -> std::io::Result<Frame> {
        let mut marker = Vec::new();
        self.file.by_ref().take(128).read_until(b'\n', &mut marker)?;
        if !marker.starts_with(b"FRAME") {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let mut frame = Frame::black(self.header.width, self.header.height);
        for plane in [&mut frame.y, &mut frame.u, &mut frame.v] {
            self.file.read_exact(plane)?;
        }
        Ok(frame)
    }
}

fn parse(line: &str) -> Option<Header> {
    let mut words = line.split_ascii_whitespace();
    if words.next()? != "YUV4MPEG2" {
        return None;
    }
    let (mut width, mut height, mut interval) = (0, 0, Duration::from_secs(1) / 30);
    for word in words {
        let (key, value) = word.split_at_checked(1)?;
        match key {
            "W" => width = value.parse().ok()?,
            "H" => height = value.parse().ok()?,
            "F" => {
                let (rate, scale) = value.split_once(':')?;
                let (rate, scale): (u32, u32) = (rate.parse().ok()?, scale.parse().ok()?);
                interval = Duration::from_secs_f64(f64::from(scale) / f64::from(rate.max(1)));
            }
            "C" if !value.starts_with("420") => return None,
            _ => {}
        }
    }
    let fits = (2..=4096).contains(&width) && (2..=4096).contains(&height);
    (fits && interval > Duration::ZERO).then_some(Header {
        width,
        height,
        interval,
    })
}

impl Camera for Y4mFile {
    fn next_frame(&mut self) -> Result<Frame, CameraFault> {
        let now = Instant::now();
        #[expect(
            clippy::disallowed_methods,
            reason = "a camera paces itself; the frame's time is the event"
        )]
        thread::sleep(self.next.saturating_duration_since(now));
        self.next = self.next.max(now) + self.header.interval;
        let frame = self.read().or_else(|_| {
            self.file.seek(SeekFrom::Start(self.first_frame))?;
            self.read()
        });
        frame.map_err(|error| CameraFault::Lost(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        let header = parse("YUV4MPEG2 W640 H360 F25:1 Ip A1:1 C420jpeg\n").expect("a good header");
        assert_eq!(
            header,
            Header {
                width: 640,
                height: 360,
                interval: Duration::from_millis(40)
            }
        );
        for bad in [
            "",
            "RIFF",
            "YUV4MPEG2 W640\n",
            "YUV4MPEG2 W640 H360 C444\n",
            "YUV4MPEG2 W99999 H2\n",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
