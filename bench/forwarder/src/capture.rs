//! Every packet as its host sends it, in a file that packet analysers read: pcap with nanoseconds, link type "raw IP".

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

/// pcap's own number for files with nanoseconds. (IETF draft-ietf-opsawg-pcap, "General File Structure".)
const MAGIC: u32 = 0xa1b2_3c4d;
/// Packets begin with their IP header. (The same, "LINKTYPE_RAW".)
const RAW_IP: u32 = 101;
const LONGEST: u32 = 65_535;

/// A file that is being written.
pub struct Capture(BufWriter<File>);

impl Capture {
    /// Begins a file.
    pub fn begin(path: &Path) -> io::Result<Self> {
        let mut file = BufWriter::new(File::create(path)?);
        let version = 2_u32 | 4 << 16;
        for word in [MAGIC, version, 0, 0, LONGEST, RAW_IP] {
            file.write_all(&word.to_le_bytes())?;
        }
        Ok(Self(file))
    }

    /// A packet that was sent now.
    pub fn packet(&mut self, packet: &[u8]) -> io::Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let length = u32::try_from(packet.len()).unwrap_or(LONGEST);
        let seconds = u32::try_from(now.as_secs()).unwrap_or(u32::MAX);
        for word in [seconds, now.subsec_nanos(), length, length] {
            self.0.write_all(&word.to_le_bytes())?;
        }
        self.0.write_all(packet)
    }

    /// Nothing more comes.
    pub fn end(mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_a_header_and_each_packet_with_its_length() {
        let path = std::env::temp_dir().join(format!("sightline-capture-{}.pcap", std::process::id()));
        let mut capture = Capture::begin(&path).unwrap();
        capture.packet(&[0x45, 1, 2, 3]).unwrap();
        capture.packet(&[0x60]).unwrap();
        capture.end().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(bytes.len(), 24 + 16 + 4 + 16 + 1);
        assert_eq!(bytes[..4], MAGIC.to_le_bytes());
        assert_eq!(bytes[24 + 8..24 + 12], 4_u32.to_le_bytes());
        assert_eq!(bytes[24 + 16..24 + 20], [0x45, 1, 2, 3]);
    }
}
