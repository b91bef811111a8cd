//! What a desk's measurements mean, what they come to, and how long that counts.

pub mod figures;
