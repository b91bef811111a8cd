//! What stands in our offers for browsers alone, and what is read from one.

use str0m::media::{Mid, Pt};

/// What the browser's first key frame may take: its own default paces it over 80 ms more (docs/decisions).
const BROWSER_START_KBPS: u32 = 2_500;

/// What str0m does not say but browsers read: the rate to start at (Chromium reads it from the VP8 line) and the
/// most we want to receive (`b=TIAS`, RFC 3890; str0m itself reads no more than one such line), for each
/// section with a picture.
pub fn for_browsers(sdp: &str, cap: u32) -> String {
    let mut out = String::with_capacity(sdp.len() + 256);
    let mut picture = false;
    for line in sdp.lines() {
        out.push_str(line);
        out.push_str("\r\n");
        if line.starts_with("m=") {
            picture = line.starts_with("m=video");
        }
        if picture && line.starts_with("c=") {
            out.push_str(&format!("b=TIAS:{cap}\r\n"));
        }
        if let Some(pt) = line
            .strip_prefix("a=rtpmap:")
            .and_then(|rest| rest.strip_suffix(" VP8/90000"))
        {
            let start = BROWSER_START_KBPS.min(cap / 1_000);
            out.push_str(&format!("a=fmtp:{pt} x-google-start-bitrate={start}\r\n"));
        }
    }
    out
}

/// The payload type of VP8 in an offer.
pub fn vp8(sdp: &str) -> Option<Pt> {
    let named = |line: &str| line.strip_prefix("a=rtpmap:")?.strip_suffix(" VP8/90000")?.parse().ok();
    sdp.lines()
        .find_map(|line| named(line.trim_end()))
        .map(Pt::new_with_value)
}

/// The media sections' names (RFC 8843, `a=mid`), in their order; str0m tells them only once media flows.
pub fn mids(sdp: &str) -> Vec<Mid> {
    let names = sdp.lines().filter_map(|line| line.strip_prefix("a=mid:"));
    names.map(|mid| mid.trim_end().into()).collect()
}

#[cfg(test)]
mod tests {
    use super::{for_browsers, vp8};
    use crate::line::Line;
    use std::time::Instant;

    #[test]
    fn browsers_are_told_where_to_start_and_what_not_to_exceed() {
        let sdp = "v=0\r\nm=audio 9 x 111\r\nc=IN IP4 0.0.0.0\r\nm=video 9 x 96\r\nc=IN IP4 0.0.0.0\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\n";
        let wanted = "v=0\r\nm=audio 9 x 111\r\nc=IN IP4 0.0.0.0\r\nm=video 9 x 96\r\nc=IN IP4 0.0.0.0\r\nb=TIAS:1200000\r\na=rtpmap:96 VP8/90000\r\na=fmtp:96 x-google-start-bitrate=1200\r\na=rtcp-fb:96 nack\r\n";
        assert_eq!(for_browsers(sdp, 1_200_000), wanted);
        assert_eq!(for_browsers("v=0\r\n", 1_200_000), "v=0\r\n");
    }

    #[test]
    fn the_offer_names_the_payload_type() {
        let vp8_in = |sdp| vp8(sdp).map(|pt| pt.to_string());
        assert_eq!(
            vp8_in("a=rtpmap:111 opus/48000/2\r\na=rtpmap:96 VP8/90000\r\n").as_deref(),
            Some("96")
        );
        assert_eq!(vp8_in("v=0\r\n"), None);
    }

    #[test]
    fn an_offer_has_sound_faces_and_a_screen_from_the_start() {
        let address = ([127, 0, 0, 1], 9).into();
        let (_, sdp) = Line::offer(Instant::now(), &[address], 2_500_000).expect("an offer");
        let kinds: Vec<&str> = sdp
            .lines()
            .filter_map(|line| line.strip_prefix("m=")?.split(' ').next())
            .collect();
        assert_eq!(kinds, ["audio", "video", "video"]);
        assert_eq!(sdp.matches("a=sendrecv").count(), 3);
        assert_eq!(sdp.matches("x-google-start-bitrate").count(), 2);
    }
}
