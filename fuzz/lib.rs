//! What every fuzzer does: it gives what the engine made up to the function of its name, beside which the corpus' folder has
//! its name too.

/// Runs one of a crate's targets.
pub fn run(targets: &[(&str, fn(&[u8]) -> bool)], name: &str, data: &[u8]) {
    let (_, target) = targets
        .iter()
        .find(|(known, _)| *known == name)
        .expect("the target is there");
    let _read = target(data);
}
