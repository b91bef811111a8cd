//! What a desk's measurements mean, what they come to, and how long that counts.
//!
//! A desk measures ([`figures`]), each measurement is judged by itself ([`judge`]), all of them together come to
//! a [`Readiness`](sightline_wire::readiness::Readiness) ([`comes_to`]), and the server turns a good one into a
//! lease that ends, and that whatever speaks against it narrows at once ([`lease`]).

pub mod emodel;
pub mod figures;
pub mod judge;
pub mod lease;
pub mod verdict;

pub use verdict::{comes_to, path_in_words, quick_comes_to};
