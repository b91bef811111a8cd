#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sightline_fuzz::run(sightline_media::fuzz::TARGETS, "candidate", data));
