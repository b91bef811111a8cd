//! The customer's pages are embedded. They are built by the front end's own build; where that has not run yet,
//! an empty folder keeps the server compiling, and the server then serves a page that says what to do.

fn main() {
    let dist = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/guest/dist");
    if let Err(error) = std::fs::create_dir_all(&dist) {
        panic!("cannot create {}: {error}", dist.display());
    }
    println!("cargo:rerun-if-changed={}", dist.display());
    println!("cargo:rerun-if-changed=build.rs");
}
