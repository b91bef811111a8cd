//! The discrete Fourier transform of lengths that are powers of two (Cooley and Tukey, 1965), for a matched filter.

use std::f64::consts::TAU;

/// A spectrum, or a signal on its way to one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Complex {
    pub re: Vec<f64>,
    pub im: Vec<f64>,
}

impl Complex {
    /// A real signal, followed by silence up to `length`.
    pub fn real(signal: &[f32], length: usize) -> Self {
        let mut re: Vec<f64> = signal.iter().map(|&sample| f64::from(sample)).collect();
        re.resize(length, 0.0);
        Self {
            re,
            im: vec![0.0; length],
        }
    }
}

/// Transforms of one length.
pub(super) struct Fourier {
    length: usize,
    /// Cosine and sine of each angle that occurs.
    turns: Vec<(f64, f64)>,
}

impl Fourier {
    /// # Panics
    /// When the length is no power of two.
    pub fn new(length: usize) -> Self {
        assert!(length.is_power_of_two(), "{length} is a power of two");
        let turn = |n: usize| (TAU * n as f64 / length as f64).sin_cos();
        let turns = (0..length / 2).map(turn).map(|(sin, cos)| (cos, sin)).collect();
        Self { length, turns }
    }

    /// From a signal to its spectrum.
    pub fn forward(&self, signal: &mut Complex) {
        self.transform(&mut signal.re, &mut signal.im);
    }

    /// Back.
    pub fn inverse(&self, spectrum: &mut Complex) {
        // The inverse is the forward transform with real and imaginary parts exchanged.
        self.transform(&mut spectrum.im, &mut spectrum.re);
        let scale = 1.0 / self.length as f64;
        for part in [&mut spectrum.re, &mut spectrum.im] {
            part.iter_mut().for_each(|value| *value *= scale);
        }
    }

    fn transform(&self, re: &mut [f64], im: &mut [f64]) {
        let length = self.length;
        assert_eq!((re.len(), im.len()), (length, length), "of this length");
        let bits = length.trailing_zeros();
        for n in 0..length {
            let other = n.reverse_bits().checked_shr(usize::BITS - bits).unwrap_or(0);
            if n < other {
                re.swap(n, other);
                im.swap(n, other);
            }
        }
        let mut half = 1;
        while half < length {
            let step = length / (2 * half);
            for start in (0..length).step_by(2 * half) {
                for n in 0..half {
                    let (cos, sin) = self.turns[n * step];
                    let (a, b) = (start + n, start + n + half);
                    let turned = (re[b] * cos + im[b] * sin, im[b] * cos - re[b] * sin);
                    (re[b], im[b]) = (re[a] - turned.0, im[a] - turned.1);
                    (re[a], im[a]) = (re[a] + turned.0, im[a] + turned.1);
                }
            }
            half *= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cosine_is_two_lines() {
        let signal: Vec<f32> = (0..64)
            .map(|n| (TAU * 5.0 * f64::from(n) / 64.0).cos() as f32)
            .collect();
        let mut spectrum = Complex::real(&signal, 64);
        Fourier::new(64).forward(&mut spectrum);
        for n in 0..64 {
            let expected = if n == 5 || n == 59 { 32.0 } else { 0.0 };
            assert!(
                (spectrum.re[n] - expected).abs() < 1e-4 && spectrum.im[n].abs() < 1e-4,
                "{n}"
            );
        }
    }

    #[test]
    fn there_and_back_is_nothing_lost() {
        for length in [1, 2, 8, 1_024] {
            let signal: Vec<f32> = (0..length).map(|n| ((n * n) as f32 * 0.7).sin()).collect();
            let fourier = Fourier::new(length);
            let mut moved = Complex::real(&signal, length);
            fourier.forward(&mut moved);
            fourier.inverse(&mut moved);
            for (n, &sample) in signal.iter().enumerate() {
                assert!((moved.re[n] - f64::from(sample)).abs() < 1e-9 && moved.im[n].abs() < 1e-9);
            }
        }
    }
}
