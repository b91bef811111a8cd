#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sightline_fuzz::run(sightline_connect::fuzz::TARGETS, "hook_webex_connect", data));
