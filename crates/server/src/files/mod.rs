//! Files that customers and agents send: how they are kept and shown. What is taken says `sightline_call::files`; what could
//! run in a browser is never shown by one.

pub mod agents;
pub mod routes;

use crate::http::refusal::Refusal;
use sightline_call::files::{MAX_NAME_CHARS, clean_name, taken};
use sightline_store::{SqliteConnection, files};
use sightline_wire::{
    ErrorCode, Problem, UnixMillis,
    conversation::{Body, File, FilePlace},
    ids::{ConversationId, FileId},
};
use uuid::Uuid;

/// Most files of one message.
pub const MOST_FILES: usize = 10;

/// All files of one request together.
pub const LONGEST_UPLOAD: usize = 16 * 1024 * 1024;

/// All files that one thread may have here: nobody fills the disk with a chat.
const MOST_BYTES: i64 = 100 * 1024 * 1024;

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
        let kind = taken(&name, declared, &content)?;
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
            .advising("Send the file another way.")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_files_is_a_text_too() {
        let file = Sent::whole(Some("a.txt"), "text/plain; charset=utf-8", b"abc".to_vec()).unwrap();
        assert_eq!(text(" Look ", &[file]), "Look\n[text/plain] a.txt");
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
