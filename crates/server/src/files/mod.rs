//! Files that customers send: what is taken, and how it is kept and shown. What could run in a browser is never shown by one.

mod kinds;
pub mod routes;

use crate::http::refusal::Refusal;
use sightline_store::{SqliteConnection, files};
use sightline_wire::{
    ErrorCode, Problem, UnixMillis,
    conversation::{Body, File, FilePlace},
    ids::{ConversationId, FileId},
};
use uuid::Uuid;

/// Direct Line's own limit for one file.
pub const LONGEST_FILE: usize = 4 * 1024 * 1024;

/// Most files of one message.
pub const MOST_FILES: usize = 10;

/// All files of one request together.
pub const LONGEST_UPLOAD: usize = 16 * 1024 * 1024;

/// All files that one thread may have here: nobody fills the disk with a chat.
const MOST_BYTES: i64 = 100 * 1024 * 1024;

/// Longest name of a file.
const MAX_NAME_CHARS: usize = 100;

/// A file that has come, and is taken.
#[derive(Debug, Clone)]
pub enum Sent {
    /// With its bytes: it is kept here.
    Whole {
        name: String,
        kind: &'static str,
        content: Vec<u8>,
    },
    /// Somebody else keeps it.
    Elsewhere(File),
}

impl Sent {
    /// A file with its bytes, as its sender declares it.
    pub fn whole(name: Option<&str>, declared: &str, content: Vec<u8>) -> Result<Self, Refusal> {
        let name = clean_name(name.unwrap_or_default());
        if content.len() > LONGEST_FILE {
            return Err(Problem::new(ErrorCode::FileTooLarge)
                .saying(format!("{} is larger than 4 MB.", shown(&name)))
                .into());
        }
        if content.is_empty() {
            return Err(Problem::new(ErrorCode::BadRequest)
                .saying(format!("{} is empty.", shown(&name)))
                .into());
        }
        let Some(kind) = kinds::kind(declared, &content) else {
            return Err(Problem::new(ErrorCode::FileRefused)
                .saying(format!(
                    "{} is of a kind that is not taken, or not what it says.",
                    shown(&name)
                ))
                .into());
        };
        Ok(Self::Whole { name, kind, content })
    }

    /// A file of which only the address is told, or not even that.
    pub fn elsewhere(name: &str, kind: &str, url: Option<&str>) -> Self {
        Self::Elsewhere(File {
            name: clean_name(name),
            kind: kind.chars().filter(|c| !c.is_control()).take(MAX_NAME_CHARS).collect(),
            size: None,
            place: url
                .filter(|url| url.starts_with("https://") && url.len() <= 2_000)
                .map(|url| FilePlace::There { url: url.to_owned() }),
        })
    }

    fn line(&self) -> String {
        let (name, kind) = match self {
            Sent::Whole { name, kind, .. } => (name.as_str(), *kind),
            Sent::Elsewhere(file) => (file.name.as_str(), file.kind.as_str()),
        };
        if name.is_empty() {
            format!("[{kind}]")
        } else {
            format!("[{kind}] {name}")
        }
    }
}

fn shown(name: &str) -> &str {
    if name.is_empty() { "The file" } else { name }
}

/// The words and the files' names in one text.
pub fn text(words: &str, files: &[Sent]) -> String {
    let words = Some(words.trim()).filter(|words| !words.is_empty()).map(str::to_owned);
    let lines: Vec<String> = words.into_iter().chain(files.iter().map(Sent::line)).collect();
    lines.join("\n")
}

/// Keeps files and makes the body of their message, in the transaction that appends it.
pub async fn keep(
    c: &mut SqliteConnection,
    (thread, conversation): (&str, ConversationId),
    words: &str,
    sent: Vec<Sent>,
    now: UnixMillis,
) -> Result<Body, Refusal> {
    let text = text(words, &sent);
    let new: usize = sent
        .iter()
        .map(|file| match file {
            Sent::Whole { content, .. } => content.len(),
            Sent::Elsewhere(_) => 0,
        })
        .sum();
    let new = i64::try_from(new).unwrap_or(i64::MAX);
    if new > 0 && files::bytes_of_thread(c, thread).await?.saturating_add(new) > MOST_BYTES {
        return Err(Problem::new(ErrorCode::FileTooLarge)
            .saying("This chat has as many files as it may have.")
            .advising("Begin another chat, or send the file another way.")
            .into());
    }
    let mut kept = Vec::new();
    for file in sent {
        let (name, kind, content) = match file {
            Sent::Whole { name, kind, content } => (name, kind, content),
            Sent::Elsewhere(file) => {
                kept.push(file);
                continue;
            }
        };
        let id = FileId(Uuid::new_v4());
        let new = files::NewFile {
            id,
            thread,
            conversation,
            name: &name,
            kind,
            content: &content,
        };
        files::add(c, &new, now).await?;
        kept.push(File {
            name,
            kind: kind.to_owned(),
            size: u32::try_from(content.len()).ok(),
            place: Some(FilePlace::Here { id }),
        });
    }
    Ok(Body::Files {
        text,
        words: words.trim().to_owned(),
        files: kept,
    })
}

/// Without folders, and without what confuses whoever reads it: control characters and those that turn the direction of
/// writing around, which make `exe.gpj` of `jpg.exe`.
fn clean_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let clean: String = last
        .chars()
        .filter(|c| !c.is_control() && !turns(*c))
        .take(MAX_NAME_CHARS)
        .collect();
    clean.trim().to_owned()
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
        let refused = |kind: &str, content: &[u8]| {
            let refused = Sent::whole(Some("a"), kind, content.to_vec()).unwrap_err();
            refused.problem().code
        };
        assert_eq!(refused("text/html", b"<p>"), ErrorCode::FileRefused);
        assert_eq!(refused("image/png", b"no picture"), ErrorCode::FileRefused);
        assert_eq!(refused("text/plain", b""), ErrorCode::BadRequest);
        assert_eq!(
            refused("text/plain", &vec![b'a'; LONGEST_FILE + 1]),
            ErrorCode::FileTooLarge
        );
        let taken = Sent::whole(Some("a.txt"), "text/plain; charset=utf-8", b"abc".to_vec()).unwrap();
        assert_eq!(text(" Look ", &[taken]), "Look\n[text/plain] a.txt");
    }

    #[test]
    fn only_addresses_that_a_browser_may_open_are_kept() {
        for (url, kept) in [
            ("https://files.example.com/a.png", true),
            ("http://files.example.com/a.png", false),
            ("javascript:alert(1)", false),
            ("file:///etc/passwd", false),
        ] {
            let Sent::Elsewhere(file) = Sent::elsewhere("a", "image/png", Some(url)) else {
                panic!("it is elsewhere");
            };
            assert_eq!(file.place.is_some(), kept, "{url}");
        }
    }
}
