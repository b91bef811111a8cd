//! Which of the modes that a camera offers serves a call best. Pure.

use super::WANTED;

/// How the pixels of a picture come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    Yuyv,
    Nv12,
    Jpeg,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mode {
    pub coding: Coding,
    pub width: u32,
    pub height: u32,
    /// Seconds between two pictures, as a fraction; `None` when the camera does not say.
    pub interval: Option<(u32, u32)>,
}

/// The best first; what is equally good stays in the camera's own order.
pub fn best_first(mut modes: Vec<Mode>) -> Vec<Mode> {
    modes.sort_by(|a, b| cost(a).total_cmp(&cost(b)));
    modes
}

/// Half of the pixels costs one. Half of the rate costs two, because a face that jerks is worse than a soft one; USB
/// carries 720p uncompressed at 10 pictures a second at most, and most webcams offer both that and MJPEG at 30.
/// More than was asked for is only work, and so is a JPEG.
fn cost(mode: &Mode) -> f64 {
    let (width, height, fps) = WANTED;
    let size = (f64::from(mode.width) * f64::from(mode.height) / f64::from(width * height)).log2();
    let rate = match mode.interval {
        Some((numerator, denominator)) => (f64::from(denominator) / f64::from(numerator) / fps).log2(),
        None => 0.0,
    };
    let missing = |octaves: f64, price: f64| if octaves < 0.0 { -octaves * price } else { octaves / 4.0 };
    let decoding = if mode.coding == Coding::Jpeg { 0.2 } else { 0.0 };
    missing(size, 1.0) + missing(rate, 2.0) + decoding
}

/// The value nearest to `wanted` that lies between `least` and `most` and a whole number of steps above `least`.
pub fn within(wanted: u32, least: u32, most: u32, step: u32) -> u32 {
    let above = wanted.clamp(least, most.max(least)) - least;
    least + above - above % step.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(coding: Coding, width: u32, height: u32, fps: u32) -> Mode {
        let interval = Some((1, fps));
        Mode {
            coding,
            width,
            height,
            interval,
        }
    }

    fn best(modes: &[Mode]) -> Mode {
        best_first(modes.to_vec())[0]
    }

    #[test]
    fn what_is_wanted_is_taken_where_it_is_offered() {
        let wanted = mode(Coding::Yuyv, 1280, 720, 30);
        let others = [
            mode(Coding::Yuyv, 1920, 1080, 30),
            mode(Coding::Yuyv, 1280, 720, 60),
            mode(Coding::Jpeg, 1280, 720, 30),
            mode(Coding::Yuyv, 640, 480, 30),
        ];
        assert_eq!(best(&[others.as_slice(), &[wanted]].concat()), wanted);
    }

    #[test]
    fn a_webcam_gives_720p_at_full_rate_as_jpeg() {
        let jpeg = mode(Coding::Jpeg, 1280, 720, 30);
        let offered = [
            mode(Coding::Yuyv, 640, 480, 30),
            mode(Coding::Yuyv, 1280, 720, 10),
            mode(Coding::Yuyv, 1920, 1080, 5),
            mode(Coding::Jpeg, 640, 480, 30),
            mode(Coding::Jpeg, 1920, 1080, 30),
            jpeg,
        ];
        assert_eq!(best(&offered), jpeg);
    }

    #[test]
    fn where_720p_is_slow_or_missing_a_smaller_picture_moves() {
        let small = mode(Coding::Yuyv, 640, 480, 30);
        assert_eq!(best(&[mode(Coding::Yuyv, 1280, 720, 10), small]), small);
        assert_eq!(best(&[mode(Coding::Yuyv, 320, 240, 30), small]), small);
    }

    #[test]
    fn a_rate_that_is_no_whole_number_or_not_told_is_no_reason_against_a_mode() {
        let television = Mode {
            interval: Some((1001, 30_000)),
            ..mode(Coding::Nv12, 1280, 720, 0)
        };
        let silent = Mode {
            interval: None,
            ..television
        };
        let slow = mode(Coding::Nv12, 1280, 720, 15);
        assert_eq!(best(&[slow, television]), television);
        assert_eq!(best(&[slow, silent]), silent);
    }

    #[test]
    fn a_range_gives_its_nearest_value() {
        assert_eq!(within(1280, 16, 4096, 2), 1280);
        assert_eq!(within(720, 48, 480, 16), 480);
        assert_eq!(within(720, 1080, 2160, 8), 1080);
        assert_eq!(within(719, 16, 4096, 16), 704);
    }
}
