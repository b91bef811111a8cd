//! Pixel work on I420 pictures: conversion in, and to what a window draws.

use crate::{Frame, scale::Crop};
use yuv::{
    BufferStoreMut, YuvBiPlanarImage, YuvConversionMode, YuvPackedImage, YuvPlanarImage, YuvPlanarImageMut, YuvRange,
    YuvStandardMatrix,
};

/// A picture that could not be used.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// The buffer is shorter than its size says, or the size is zero or odd where it must be even.
    #[error("a {width}x{height} picture does not fit its {bytes} bytes")]
    Shape {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
        /// Of the buffer.
        bytes: usize,
    },
    /// A JPEG that does not decode.
    #[error("the camera sent a broken JPEG: {0}")]
    Jpeg(String),
}

impl Frame {
    /// A black picture.
    pub fn black(width: u32, height: u32) -> Self {
        let chroma = (width.div_ceil(2) * height.div_ceil(2)) as usize;
        Self {
            width,
            height,
            y: vec![16; (width * height) as usize],
            u: vec![128; chroma],
            v: vec![128; chroma],
        }
    }

    /// From YUYV 4:2:2, as most cameras deliver it.
    pub fn from_yuyv(width: u32, height: u32, bytes: &[u8]) -> Result<Self, PictureError> {
        let shape = PictureError::Shape {
            width,
            height,
            bytes: bytes.len(),
        };
        if bytes.len() < (width * height * 2) as usize {
            return Err(shape);
        }
        let packed = YuvPackedImage {
            yuy: bytes,
            yuy_stride: width * 2,
            width,
            height,
        };
        Self::filled(width, height, |planes| yuv::yuyv422_to_yuv420(planes, &packed)).ok_or(shape)
    }

    /// From RGB, three bytes a pixel.
    pub fn from_rgb(width: u32, height: u32, bytes: &[u8]) -> Result<Self, PictureError> {
        let shape = PictureError::Shape {
            width,
            height,
            bytes: bytes.len(),
        };
        if bytes.len() < (width * height * 3) as usize {
            return Err(shape);
        }
        Self::filled(width, height, |planes| {
            let (range, matrix) = (YuvRange::Limited, YuvStandardMatrix::Bt601);
            yuv::rgb_to_yuv420(planes, bytes, width * 3, range, matrix, YuvConversionMode::Balanced)
        })
        .ok_or(shape)
    }

    /// From BGRx or BGRA, as X11 delivers a screen; alpha is ignored.
    pub fn from_bgrx(width: u32, height: u32, bytes: &[u8]) -> Result<Self, PictureError> {
        let shape = PictureError::Shape {
            width,
            height,
            bytes: bytes.len(),
        };
        if bytes.len() < (width * height * 4) as usize {
            return Err(shape);
        }
        Self::filled(width, height, |planes| {
            let (range, matrix) = (YuvRange::Limited, YuvStandardMatrix::Bt601);
            yuv::bgra_to_yuv420(planes, bytes, width * 4, range, matrix, YuvConversionMode::Balanced)
        })
        .ok_or(shape)
    }

    /// From NV12: luma, then interleaved chroma.
    pub fn from_nv12(width: u32, height: u32, bytes: &[u8]) -> Result<Self, PictureError> {
        let luma = (width * height) as usize;
        let shape = PictureError::Shape {
            width,
            height,
            bytes: bytes.len(),
        };
        if bytes.len() < luma * 3 / 2 || !width.is_multiple_of(2) || !height.is_multiple_of(2) {
            return Err(shape);
        }
        let image = YuvBiPlanarImage {
            y_plane: &bytes[..luma],
            y_stride: width,
            uv_plane: &bytes[luma..],
            uv_stride: width,
            width,
            height,
        };
        let (u, v) = image.uv_plane.as_chunks::<2>().0[..luma / 4]
            .iter()
            .map(|&[u, v]| (u, v))
            .unzip();
        Ok(Self {
            width,
            height,
            y: image.y_plane.to_vec(),
            u,
            v,
        })
    }

    /// From one JPEG of an MJPEG camera.
    pub fn from_jpeg(bytes: &[u8]) -> Result<Self, PictureError> {
        let mut decoder = zune_jpeg::JpegDecoder::new(zune_jpeg::zune_core::bytestream::ZCursor::new(bytes));
        let rgb = decoder
            .decode()
            .map_err(|error| PictureError::Jpeg(error.to_string()))?;
        let (width, height) = decoder
            .dimensions()
            .ok_or_else(|| PictureError::Jpeg("no size".into()))?;
        Self::from_rgb(width as u32, height as u32, &rgb)
    }

    /// The part of the picture that fills `width` x `height` without distortion.
    pub fn cropped_to(&self, width: u32, height: u32) -> Crop {
        let scale = f64::min(
            f64::from(self.width) / f64::from(width),
            f64::from(self.height) / f64::from(height),
        );
        let (w, h) = (f64::from(width) * scale, f64::from(height) * scale);
        Crop {
            left: (f64::from(self.width) - w) / 2.0,
            top: (f64::from(self.height) - h) / 2.0,
            width: w,
            height: h,
        }
    }

    fn filled<E>(
        width: u32,
        height: u32,
        fill: impl FnOnce(&mut YuvPlanarImageMut<'_, u8>) -> Result<(), E>,
    ) -> Option<Self> {
        let mut frame = Self::black(width, height);
        let mut planes = YuvPlanarImageMut {
            y_plane: BufferStoreMut::Borrowed(&mut frame.y),
            y_stride: width,
            u_plane: BufferStoreMut::Borrowed(&mut frame.u),
            u_stride: width.div_ceil(2),
            v_plane: BufferStoreMut::Borrowed(&mut frame.v),
            v_stride: width.div_ceil(2),
            width,
            height,
        };
        fill(&mut planes).ok()?;
        Some(frame)
    }
}

/// Writes `frame` as BGRx (cairo's `Rgb24` on little-endian machines), `stride` bytes a row.
pub fn to_bgrx(frame: &Frame, out: &mut [u8], stride: u32) {
    let chroma = frame.width.div_ceil(2);
    let image = YuvPlanarImage {
        y_plane: &frame.y,
        y_stride: frame.width,
        u_plane: &frame.u,
        u_stride: chroma,
        v_plane: &frame.v,
        v_stride: chroma,
        width: frame.width,
        height: frame.height,
    };
    yuv::yuv420_to_bgra(&image, out, stride, YuvRange::Limited, YuvStandardMatrix::Bt601)
        .expect("the surface has the frame's size");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yuyv_keeps_luma_and_halves_chroma() {
        let bytes: Vec<u8> = (0..4 * 2).flat_map(|_| [200, 90, 200, 160]).take(4 * 2 * 2).collect();
        let frame = Frame::from_yuyv(4, 2, &bytes).expect("fits");
        assert_eq!((frame.y, frame.u, frame.v), (vec![200; 8], vec![90; 2], vec![160; 2]));
    }

    #[test]
    fn short_buffers_are_refused() {
        assert!(Frame::from_yuyv(4, 2, &[0; 15]).is_err());
        assert!(Frame::from_nv12(4, 2, &[0; 11]).is_err());
        assert!(Frame::from_rgb(4, 2, &[0; 23]).is_err());
        assert!(Frame::from_jpeg(&[0xff, 0xd8, 0]).is_err());
    }

    /// 32 x 16 pixels, red beside blue, at half the width in colour and without the tables that everybody knows: as
    /// webcams send it.
    const MJPEG: &str = "\
        ffd8ffe000104156493100000000000000000000ffdb004300080606070605080707070909080a0c140d0c0b0b0c1912130f141d\
        1a1f1e1d1a1c1c20242e2720222c231c1c2837292c30313434341f27393d38323c2e333432ffdb0043010909090c0b0c180d0d18\
        32211c21323232323232323232323232323232323232323232323232323232323232323232323232323232323232323232323232\
        3232ffc00011080010002003012100021101031101ffda000c03010002110311003f00f38a2bc33f5439ca2bf703f1d3a3a2bf0f\
        3f6239ca2bf703f1d3ffd9";

    #[test]
    fn a_webcams_jpeg_has_the_colours_of_video() {
        let digits = |at| u8::from_str_radix(&MJPEG[at..at + 2], 16).expect("hexadecimal");
        let bytes: Vec<u8> = (0..MJPEG.len()).step_by(2).map(digits).collect();
        let frame = Frame::from_jpeg(&bytes).expect("a picture");
        assert_eq!((frame.width, frame.height), (32, 16));
        // Full range in the JPEG, 16 to 235 in a frame (ITU-R BT.601): red and blue of 75 %.
        for (x, expected) in [(4, [65, 100, 212]), (28, [35, 212, 114])] {
            let (pixel, chroma) = (8 * 32 + x, 4 * 16 + x / 2);
            let found = [frame.y[pixel], frame.u[chroma], frame.v[chroma]];
            let near = found
                .iter()
                .zip(expected)
                .all(|(found, expected)| found.abs_diff(expected) < 4);
            assert!(near, "{found:?} for {expected:?}");
        }
    }

    #[test]
    fn a_square_tile_crops_the_sides() {
        let crop = Frame::black(1280, 720).cropped_to(100, 100);
        assert_eq!(
            crop,
            Crop {
                left: 280.0,
                top: 0.0,
                width: 720.0,
                height: 720.0
            }
        );
    }
}
