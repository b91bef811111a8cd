//! Which files are taken, from customers and from agents. What a file says it is has to be what its first bytes say, as
//! far as they tell.

use sightline_wire::{ErrorCode, MAX_FILE_BYTES, Problem};

/// The kind of a file that is taken.
///
/// # Errors
/// It is too large or empty, of a kind that is not taken, or not what it says; in words for whoever sends it.
pub fn taken(name: &str, declared: &str, content: &[u8]) -> Result<&'static str, Problem> {
    let shown = if name.is_empty() { "The file" } else { name };
    if content.len() > MAX_FILE_BYTES {
        return Err(Problem::new(ErrorCode::FileTooLarge).saying(format!("{shown} is larger than 4 MB.")));
    }
    if content.is_empty() {
        return Err(Problem::new(ErrorCode::FileRefused)
            .saying(format!("{shown} is empty."))
            .advising("Choose another file."));
    }
    kind(declared, content).ok_or_else(|| {
        Problem::new(ErrorCode::FileRefused)
            .saying(format!("{shown} is of a kind that is not taken, or not what it says."))
    })
}

/// Without folders, and without what confuses whoever reads it: control characters and those that turn the direction of
/// writing around, which make `exe.gpj` of `jpg.exe`.
pub fn clean_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let clean: String = last
        .chars()
        .filter(|c| !c.is_control() && !turns(*c))
        .take(MAX_NAME_CHARS)
        .collect();
    clean.trim().to_owned()
}

/// Longest name of a file.
pub const MAX_NAME_CHARS: usize = 100;

/// The kind of a file, by its sender's declaration and its bytes; `None` for one that is not taken. Whoever declares none
/// gets the one that the bytes tell without a doubt.
fn kind(declared: &str, content: &[u8]) -> Option<&'static str> {
    let declared = declared
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let declared = match declared.as_str() {
        "" | "application/octet-stream" => return SURE.iter().find(|(_, fits)| fits(content)).map(|(kind, _)| *kind),
        "image/jpg" | "image/pjpeg" => "image/jpeg",
        "application/csv" => "text/csv",
        other => other,
    };
    let known = SURE.iter().chain(OTHERS).find(|(kind, _)| *kind == declared);
    known.filter(|(_, fits)| fits(content)).map(|(kind, _)| *kind)
}

type Known = (&'static str, fn(&[u8]) -> bool);

const SURE: &[Known] = &[
    ("image/png", |c| c.starts_with(b"\x89PNG\r\n\x1a\n")),
    ("image/jpeg", |c| c.starts_with(b"\xff\xd8\xff")),
    ("image/gif", |c| c.starts_with(b"GIF87a") || c.starts_with(b"GIF89a")),
    ("image/webp", |c| {
        c.starts_with(b"RIFF") && c.get(8..12) == Some(b"WEBP")
    }),
    ("application/pdf", |c| c.starts_with(b"%PDF-")),
];

const OTHERS: &[Known] = &[
    ("text/plain", is_text),
    ("text/csv", is_text),
    (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        is_zip,
    ),
    (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        is_zip,
    ),
    (
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        is_zip,
    ),
    ("application/vnd.oasis.opendocument.text", is_zip),
    ("application/vnd.oasis.opendocument.spreadsheet", is_zip),
    ("audio/mpeg", |c| {
        c.starts_with(b"ID3") || matches!(c, [0xff, second, ..] if second & 0xe0 == 0xe0)
    }),
    ("audio/ogg", |c| c.starts_with(b"OggS")),
    ("audio/mp4", is_mp4),
    ("video/mp4", is_mp4),
    ("video/webm", |c| c.starts_with(b"\x1a\x45\xdf\xa3")),
];

fn is_text(content: &[u8]) -> bool {
    std::str::from_utf8(content).is_ok_and(|text| !text.contains('\0'))
}

fn is_zip(content: &[u8]) -> bool {
    content.starts_with(b"PK\x03\x04")
}

fn is_mp4(content: &[u8]) -> bool {
    content.get(4..8) == Some(b"ftyp")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_name_and_nothing_else() {
        for (given, clean) in [
            ("photo.jpg", "photo.jpg"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\a\\bill.pdf", "bill.pdf"),
            ("a\r\nset-cookie: b.png", "aset-cookie: b.png"),
            ("cod\u{202e}gpj.exe", "codgpj.exe"),
            ("  ", ""),
        ] {
            assert_eq!(clean_name(given), clean);
        }
        assert_eq!(clean_name(&"x".repeat(500)).len(), MAX_NAME_CHARS);
    }

    #[test]
    fn a_file_is_refused_with_its_reason() {
        for (declared, content, code, word) in [
            ("text/html", b"<p>" as &[u8], ErrorCode::FileRefused, "not taken"),
            ("image/png", b"no picture", ErrorCode::FileRefused, "not what it says"),
            ("text/plain", b"", ErrorCode::FileRefused, "a.txt is empty"),
            (
                "text/plain",
                &vec![b'a'; MAX_FILE_BYTES + 1],
                ErrorCode::FileTooLarge,
                "4 MB",
            ),
        ] {
            let problem = taken("a.txt", declared, content).unwrap_err();
            assert_eq!(problem.code, code);
            assert!(problem.message.contains(word), "{}", problem.message);
        }
        assert_eq!(taken("", "text/plain; charset=utf-8", b"abc"), Ok("text/plain"));
    }

    #[test]
    fn a_file_is_what_its_bytes_say() {
        const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";
        const PAGE: &[u8] = b"<!doctype html><script>alert(1)</script>";
        for (declared, content, taken) in [
            ("image/png", PNG, Some("image/png")),
            ("IMAGE/PNG; x=y", PNG, Some("image/png")),
            ("image/jpg", b"\xff\xd8\xff\xe0" as &[u8], Some("image/jpeg")),
            ("", PNG, Some("image/png")),
            ("application/octet-stream", PNG, Some("image/png")),
            ("application/octet-stream", PAGE, None),
            ("image/png", PAGE, None),
            ("image/jpeg", PNG, None),
            ("text/html", PAGE, None),
            ("image/svg+xml", b"<svg/>", None),
            ("application/x-msdownload", b"MZ", None),
            ("text/plain", b"caf\xc3\xa9", Some("text/plain")),
            ("text/plain", b"caf\xe9", None),
            ("application/pdf", b"%PDF-1.7", Some("application/pdf")),
            ("video/mp4", b"\0\0\0\x18ftypisom", Some("video/mp4")),
            ("audio/mpeg", b"\xff\xfb\x90", Some("audio/mpeg")),
        ] {
            assert_eq!(kind(declared, content), taken, "{declared}");
        }
        // A page that says it is a text is one: it is given out as text, and to be kept only.
        assert_eq!(kind("text/plain", PAGE), Some("text/plain"));
    }
}
