//! VP8 by libvpx: the only unsafe code of this crate, behind an encoder and a decoder that own their state.
//!
//! The settings are measured (docs/decisions): one thread, constant bit rate, no look-ahead, the fastest
//! real-time speed, and dropped frames rather than a growing delay when the rate falls.

use crate::Frame;
use std::{mem::MaybeUninit, ptr};
use vpx_sys as vpx;

/// libvpx refused; a bug or a machine out of memory.
#[derive(Debug, thiserror::Error)]
#[error("libvpx failed to {doing}: {code}")]
pub struct Vp8Error {
    doing: &'static str,
    code: i32,
}

fn check(doing: &'static str, code: vpx::vpx_codec_err_t) -> Result<(), Vp8Error> {
    match code {
        vpx::vpx_codec_err_t::VPX_CODEC_OK => Ok(()),
        other => Err(Vp8Error {
            doing,
            code: other as i32,
        }),
    }
}

/// One encoded picture.
pub struct Encoded {
    /// VP8 bitstream.
    pub data: Vec<u8>,
    /// Decodable without any other.
    pub key: bool,
}

/// What the pictures show.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    Camera,
    Screen,
}

/// When pictures come, as libvpx is told: it takes the time since the last one for the time that the next one may fill.
/// After a third of a second without a picture it made one of 177 KB, at its finest, and then none for a second.
struct Clock {
    content: Content,
    /// When the last picture was taken.
    last: Option<i64>,
    /// Between two of them, smoothed.
    interval: i64,
    /// What libvpx was told of the last one.
    told: i64,
}

impl Clock {
    fn new(content: Content) -> Self {
        Self {
            content,
            last: None,
            interval: 3_000,
            told: 0,
        }
    }

    /// The time and the duration to tell of a picture taken at `pts`; all in 90 kHz.
    fn tick(&mut self, pts: i64) -> (i64, u64) {
        let passed = self.last.map_or(self.interval, |last| pts - last);
        let most = match self.content {
            Content::Camera => self.interval * 5 / 4,
            // One may stand still for long, and what comes then is to be read.
            Content::Screen => 90_000,
        };
        let step = passed.clamp(1, most);
        self.interval += (passed.clamp(1, 2 * self.interval) - self.interval) / 8;
        self.last = Some(pts);
        self.told += step;
        (self.told, step as u64)
    }
}

/// Encodes pictures of one size.
pub struct Encoder {
    context: vpx::vpx_codec_ctx_t,
    config: vpx::vpx_codec_enc_cfg_t,
    clock: Clock,
}

// SAFETY: the context is used by one owner at a time and libvpx keeps no thread-local state.
unsafe impl Send for Encoder {}

impl Encoder {
    /// For pictures of exactly this size at up to `bits_per_second`.
    pub fn new(width: u32, height: u32, bits_per_second: u32) -> Result<Self, Vp8Error> {
        Self::make(width, height, bits_per_second, Content::Camera)
    }

    /// The same for a shared screen: text stays sharp, and whoever feeds it sends fewer pictures when the rate falls.
    pub fn for_screen(width: u32, height: u32, bits_per_second: u32) -> Result<Self, Vp8Error> {
        Self::make(width, height, bits_per_second, Content::Screen)
    }

    fn make(width: u32, height: u32, bits_per_second: u32, content: Content) -> Result<Self, Vp8Error> {
        // SAFETY: plain C initialisation; every pointer lives through its call, and the context is
        // destroyed in `drop` only after `enc_init` has succeeded.
        unsafe {
            let interface = vpx::vpx_codec_vp8_cx();
            let mut config = MaybeUninit::<vpx::vpx_codec_enc_cfg_t>::zeroed();
            check(
                "fill the configuration",
                vpx::vpx_codec_enc_config_default(interface, config.as_mut_ptr(), 0),
            )?;
            let mut config = config.assume_init();
            config.g_w = width;
            config.g_h = height;
            config.g_timebase = vpx::vpx_rational { num: 1, den: 90_000 };
            config.g_threads = 1;
            config.g_lag_in_frames = 0;
            config.g_pass = vpx::vpx_enc_pass::VPX_RC_ONE_PASS;
            config.g_error_resilient = 0;
            config.rc_end_usage = vpx::vpx_rc_mode::VPX_CBR;
            config.rc_target_bitrate = bits_per_second / 1000;
            // A screen changes rarely, so no picture of it may be left out; and letters must stay letters.
            (config.rc_dropframe_thresh, config.rc_max_quantizer) = match content {
                Content::Camera => (30, 56),
                Content::Screen => (0, 40),
            };
            config.rc_min_quantizer = 2;
            config.rc_undershoot_pct = 100;
            config.rc_overshoot_pct = 15;
            config.rc_buf_initial_sz = 500;
            config.rc_buf_optimal_sz = 600;
            config.rc_buf_sz = 1000;
            // Key frames are made when the other side asks, not by the clock.
            config.kf_mode = vpx::vpx_kf_mode::VPX_KF_DISABLED;
            let mut context = MaybeUninit::<vpx::vpx_codec_ctx_t>::zeroed();
            let version = vpx::VPX_ENCODER_ABI_VERSION as i32;
            check(
                "start the encoder",
                vpx::vpx_codec_enc_init_ver(context.as_mut_ptr(), interface, &config, 0, version),
            )?;
            let mut encoder = Self {
                context: context.assume_init(),
                config,
                clock: Clock::new(content),
            };
            // Of a face -14 takes a sixth to a quarter less time than -8 and loses 0.2 dB at most (decision 2).
            let speed = match content {
                Content::Camera => -14,
                Content::Screen => -8,
            };
            encoder.control(vpx::vp8e_enc_control_id::VP8E_SET_CPUUSED, speed)?;
            encoder.control(vpx::vp8e_enc_control_id::VP8E_SET_STATIC_THRESHOLD, 1)?;
            encoder.control(vpx::vp8e_enc_control_id::VP8E_SET_NOISE_SENSITIVITY, 0)?;
            if content == Content::Screen {
                encoder.control(vpx::vp8e_enc_control_id::VP8E_SET_SCREEN_CONTENT_MODE, 1)?;
            }
            // A face is there at once and sharp a few pictures later; letters are read, so they wait for more.
            let most = match content {
                Content::Camera => 400,
                Content::Screen => 900,
            };
            encoder.control(vpx::vp8e_enc_control_id::VP8E_SET_MAX_INTRA_BITRATE_PCT, most)?;
            Ok(encoder)
        }
    }

    /// Size the encoder was made for.
    pub fn size(&self) -> (u32, u32) {
        (self.config.g_w, self.config.g_h)
    }

    /// New target for the frames that follow.
    pub fn set_bitrate(&mut self, bits_per_second: u32) -> Result<(), Vp8Error> {
        let target = bits_per_second / 1000;
        if self.config.rc_target_bitrate == target {
            return Ok(());
        }
        self.config.rc_target_bitrate = target;
        // SAFETY: both point to live structures of the types libvpx expects.
        check("change the rate", unsafe {
            vpx::vpx_codec_enc_config_set(&mut self.context, &self.config)
        })
    }

    /// Encodes `frame`, taken at `pts` (90 kHz). `None` when the rate control dropped it.
    ///
    /// # Panics
    /// When the frame does not have the encoder's size.
    pub fn encode(&mut self, frame: &Frame, pts: i64, force_key: bool) -> Result<Option<Encoded>, Vp8Error> {
        assert_eq!(
            (frame.width, frame.height),
            self.size(),
            "a frame of another size needs a new encoder"
        );
        let (pts, duration) = self.clock.tick(pts);
        let flags = if force_key {
            i64::from(vpx::VPX_EFLAG_FORCE_KF)
        } else {
            0
        };
        // SAFETY: the wrapped image only reads the frame's planes during `encode`, which copies them; packets
        // returned by `get_cx_data` stay valid until the next call on this context.
        unsafe {
            let mut image = MaybeUninit::<vpx::vpx_image_t>::zeroed();
            let format = vpx::vpx_img_fmt::VPX_IMG_FMT_I420;
            vpx::vpx_img_wrap(
                image.as_mut_ptr(),
                format,
                frame.width,
                frame.height,
                1,
                frame.y.as_ptr().cast_mut(),
            );
            let mut image = image.assume_init();
            image.planes = [
                frame.y.as_ptr().cast_mut(),
                frame.u.as_ptr().cast_mut(),
                frame.v.as_ptr().cast_mut(),
                ptr::null_mut(),
            ];
            let chroma = frame.width.div_ceil(2) as i32;
            image.stride = [frame.width as i32, chroma, chroma, 0];
            let deadline = u64::from(vpx::VPX_DL_REALTIME);
            check(
                "encode",
                vpx::vpx_codec_encode(&mut self.context, &image, pts, duration, flags, deadline),
            )?;
            let mut iterator = ptr::null();
            let mut out: Option<Encoded> = None;
            while let Some(packet) = vpx::vpx_codec_get_cx_data(&mut self.context, &mut iterator).as_ref() {
                if packet.kind != vpx::vpx_codec_cx_pkt_kind::VPX_CODEC_CX_FRAME_PKT {
                    continue;
                }
                let part = packet.data.frame;
                let bytes = std::slice::from_raw_parts(part.buf.cast::<u8>(), part.sz as usize);
                let encoded = out.get_or_insert_with(|| Encoded {
                    data: Vec::with_capacity(bytes.len()),
                    key: false,
                });
                encoded.data.extend_from_slice(bytes);
                encoded.key |= part.flags & vpx::VPX_FRAME_IS_KEY != 0;
            }
            Ok(out.filter(|encoded| !encoded.data.is_empty()))
        }
    }

    fn control(&mut self, id: vpx::vp8e_enc_control_id, value: i32) -> Result<(), Vp8Error> {
        // SAFETY: all controls used here take one int.
        check("set a control", unsafe {
            vpx::vpx_codec_control_(&mut self.context, id as i32, value)
        })
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: initialised in `new`, destroyed once.
        unsafe { vpx::vpx_codec_destroy(&mut self.context) };
    }
}

/// Decodes a stream of VP8 pictures.
pub struct Decoder {
    context: vpx::vpx_codec_ctx_t,
}

// SAFETY: as for the encoder.
unsafe impl Send for Decoder {}

impl Decoder {
    /// Starts with nothing: the first picture must be a key frame.
    pub fn new() -> Result<Self, Vp8Error> {
        // SAFETY: as in `Encoder::new`.
        unsafe {
            let mut context = MaybeUninit::<vpx::vpx_codec_ctx_t>::zeroed();
            let config = vpx::vpx_codec_dec_cfg_t { threads: 1, w: 0, h: 0 };
            let version = vpx::VPX_DECODER_ABI_VERSION as i32;
            let interface = vpx::vpx_codec_vp8_dx();
            check(
                "start the decoder",
                vpx::vpx_codec_dec_init_ver(context.as_mut_ptr(), interface, &config, 0, version),
            )?;
            Ok(Self {
                context: context.assume_init(),
            })
        }
    }

    /// Decodes one picture. An error means the stream is damaged: ask for a key frame.
    pub fn decode(&mut self, data: &[u8]) -> Result<Option<Frame>, Vp8Error> {
        // SAFETY: `data` is read during the call only; the image belongs to the context until its next call
        // and is copied before that.
        unsafe {
            let code = vpx::vpx_codec_decode(&mut self.context, data.as_ptr(), data.len() as u32, ptr::null_mut(), 0);
            check("decode", code)?;
            let mut iterator = ptr::null();
            let Some(image) = vpx::vpx_codec_get_frame(&mut self.context, &mut iterator).as_ref() else {
                return Ok(None);
            };
            let (width, height) = (image.d_w, image.d_h);
            let (cw, ch) = (width.div_ceil(2), height.div_ceil(2));
            let plane = |index: usize, w: u32, h: u32| {
                let mut out = Vec::with_capacity((w * h) as usize);
                for row in 0..h as usize {
                    let start = image.planes[index].add(row * image.stride[index] as usize);
                    out.extend_from_slice(std::slice::from_raw_parts(start, w as usize));
                }
                out
            };
            Ok(Some(Frame {
                width,
                height,
                y: plane(0, width, height),
                u: plane(1, cw, ch),
                v: plane(2, cw, ch),
            }))
        }
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: initialised in `new`, destroyed once.
        unsafe { vpx::vpx_codec_destroy(&mut self.context) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::barcode;

    #[test]
    fn a_barcode_survives_the_codec() {
        let mut encoder = Encoder::new(640, 360, 500_000).expect("encoder");
        let mut decoder = Decoder::new().expect("decoder");
        let mut seen = Vec::new();
        for n in 0..30 {
            let mut frame = Frame::black(640, 360);
            barcode::draw(&mut frame, n * 33);
            if let Some(encoded) = encoder.encode(&frame, n * 3000, n == 0).expect("encodes") {
                assert_eq!(encoded.key, n == 0);
                seen.extend(
                    decoder
                        .decode(&encoded.data)
                        .expect("decodes")
                        .and_then(|frame| barcode::read(&frame)),
                );
            }
        }
        assert!(seen.len() > 20, "{} of 30 barcodes arrived", seen.len());
        assert!(seen.is_sorted());
    }

    /// A wall with some grain that passes by, two points a picture.
    fn passing(n: i64) -> Frame {
        let mut frame = Frame::black(640, 360);
        for (at, light) in frame.y.iter_mut().enumerate() {
            let (x, y) = ((at % 640) as i64 + 2 * n, (at / 640) as i64);
            let grain = (x * 7_919 + y * 104_729) % 31;
            let waves = 30.0 * (x as f64 / 9.0).sin() + 25.0 * (y as f64 / 7.0).sin();
            *light = (120.0 + waves) as u8 + grain as u8 / 2;
        }
        frame
    }

    #[test]
    fn a_pause_is_not_made_up_for() {
        let mut encoder = Encoder::new(640, 360, 400_000).expect("encoder");
        let mut size = |n: i64| {
            let encoded = encoder.encode(&passing(n), n * 3_000, n == 0).expect("encodes");
            encoded.map_or(0, |encoded| encoded.data.len())
        };
        let before = (0..90).map(&mut size).skip(60).max().expect("pictures");
        let after: Vec<usize> = (100..130).map(&mut size).collect();
        assert!(
            after.iter().all(|size| *size < 5 * before),
            "{before} at most before, then {after:?}"
        );
        let missing = after.iter().filter(|size| **size == 0).count();
        assert!(missing < 5, "{missing} of 30 left out: {after:?}");
    }

    #[test]
    fn garbage_is_an_error_and_the_decoder_goes_on() {
        let mut encoder = Encoder::new(64, 64, 200_000).expect("encoder");
        let mut decoder = Decoder::new().expect("decoder");
        assert!(decoder.decode(&[0x30, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]).is_err());
        let key = encoder
            .encode(&Frame::black(64, 64), 0, true)
            .expect("encodes")
            .expect("a key frame");
        assert!(decoder.decode(&key.data).expect("decodes").is_some());
    }
}
