//! Which of the languages of the customer's pages somebody reads.
//!
//! Whatever a request or a conversation says about it only chooses among these: no text of theirs reaches a page.

use axum::http::{HeaderMap, header};
use sightline_wire::conversation::{Context, ContextValue};

/// A language that the customer's pages are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Language(&'static str);

/// As `ui/guest/src/words` has them.
const WRITTEN: [&str; 7] = ["en", "de", "fr", "es", "it", "nl", "pt"];

/// No browser names more; what follows is not looked at.
const MOST_ASKED: usize = 30;

impl Language {
    /// For whoever asks for nothing that there is.
    const ENGLISH: Self = Self(WRITTEN[0]);

    /// BCP 47.
    pub fn tag(self) -> &'static str {
        self.0
    }

    /// The language of a tag such as `de-CH`.
    fn of(tag: &str) -> Option<Self> {
        let language = tag.trim().split(['-', '_']).next()?;
        let written = WRITTEN.iter().find(|written| written.eq_ignore_ascii_case(language));
        written.copied().map(Self)
    }
}

/// The known language where the pages have it, otherwise the first of the browser's that they have.
pub fn of(known: Option<&str>, headers: &HeaderMap) -> Language {
    known
        .and_then(Language::of)
        .or_else(|| accepted(headers))
        .unwrap_or(Language::ENGLISH)
}

/// RFC 9110, 12.5.4: the heaviest; of equals the first.
fn accepted(headers: &HeaderMap) -> Option<Language> {
    let lines = headers.get_all(header::ACCEPT_LANGUAGE).iter();
    let ranges = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .take(MOST_ASKED);
    let mut best: Option<(Language, f32)> = None;
    for range in ranges {
        let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
        let weight = parameters
            .trim()
            .strip_prefix("q=")
            .map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0));
        let Some(language) = Language::of(tag).filter(|_| weight > 0.0) else {
            continue;
        };
        if best.is_none_or(|(_, heaviest)| weight > heaviest) {
            best = Some((language, weight));
        }
    }
    best.map(|(language, _)| language)
}

/// What a bot has set for the customer, or the language that it spoke itself. Whatever is no language tag is none.
pub fn locale(context: &Context) -> Option<String> {
    let tag = |name: &&str| match context.get(*name)? {
        ContextValue::Text(text) => Some(text.trim().replace('_', "-")),
        ContextValue::Truth(_) | ContextValue::Number(_) => None,
    };
    let subtag = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    ["customerLocale", "va_Language"]
        .iter()
        .filter_map(tag)
        .find(|tag| tag.len() <= 35 && tag.split('-').all(subtag))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn asking(line: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_str(line).unwrap());
        headers
    }

    #[test]
    fn the_customers_locale_comes_before_the_bots_language_and_only_tags_count() {
        let of = |json: &str| locale(&serde_json::from_str(json).unwrap());
        assert_eq!(of(r#"{ "va_Language": "en-us" }"#).as_deref(), Some("en-us"));
        let both = r#"{ "va_Language": "en-us", "customerLocale": " de_CH " }"#;
        assert_eq!(of(both).as_deref(), Some("de-CH"));
        for none in [
            "{}",
            r#"{ "customerLocale": "" }"#,
            r#"{ "customerLocale": "<b>" }"#,
            r#"{ "customerLocale": 1031 }"#,
            r#"{ "customerLocale": "de--CH" }"#,
            r#"{ "customerLocale": "German (Switzerland)" }"#,
        ] {
            assert_eq!(of(none), None, "{none}");
        }
    }

    #[test]
    fn the_conversations_language_comes_first_then_the_browsers_then_english() {
        for (known, asked, expected) in [
            (Some("de-CH"), "fr", "de"),
            (Some("DE_at"), "", "de"),
            (Some("ja-JP"), "fr-CA,fr;q=0.9", "fr"),
            (Some("../../etc/passwd"), "nl", "nl"),
            (Some("\"><script>"), "\"><script>", "en"),
            (None, "ja, pt-BR;q=0.3, it;q=0.8", "it"),
            (None, "es;q=0, en;q=0.1", "en"),
            (None, "en-GB,de", "en"),
            (None, "*", "en"),
            (None, "de;q=much", "en"),
            (None, "", "en"),
        ] {
            assert_eq!(of(known, &asking(asked)).tag(), expected, "{known:?} {asked}");
        }
        assert_eq!(of(None, &HeaderMap::new()), Language::ENGLISH);
    }

    #[test]
    fn a_long_list_is_not_read_to_its_end() {
        let long = "ja,".repeat(MOST_ASKED) + "de";
        assert_eq!(of(None, &asking(&long)), Language::ENGLISH);
    }
}
