//! What may be written: messages, and context variables.

use sightline_wire::{
    ErrorCode, MAX_CONTEXT_VARIABLES, MAX_MESSAGE_CHARS, Problem,
    conversation::{Context, ContextValue},
};
use std::collections::BTreeMap;

/// Longest name of a context variable, in Unicode scalar values.
pub const MAX_CONTEXT_KEY_CHARS: usize = 100;

/// Refuses a text that is empty or too long. Spaces at the ends are the writer's own and stay.
pub fn check_message(text: &str) -> Result<(), Problem> {
    if text.trim().is_empty() {
        return Err(ErrorCode::EmptyMessage.into());
    }
    if text.chars().count() > MAX_MESSAGE_CHARS {
        return Err(ErrorCode::MessageTooLong.into());
    }
    Ok(())
}

/// A text in pieces of at most `longest` characters, divided at white space where there is some; none of an empty text.
pub fn pieces(text: &str, longest: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let Some((end, _)) = rest.char_indices().nth(longest.max(1)) else {
            pieces.push(rest.to_owned());
            break;
        };
        // A piece that ends with a word is not shorter than half of what it may be.
        let space = rest[..end].rfind(char::is_whitespace).filter(|space| *space > end / 2);
        let (piece, later) = rest.split_at(space.unwrap_or(end));
        pieces.push(piece.trim_end().to_owned());
        rest = later.trim_start();
    }
    pieces
}

/// The first line a list shows of a text: white space collapsed, at most 120 characters.
pub fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.chars().count() > 120 {
            return line.chars().take(119).chain(['\u{2026}']).collect();
        }
    }
    line
}

/// "Ana" for Ana Moreno, for sentences in a call; "Customer 4821" is a label and stays whole.
pub fn first_name(name: &str) -> &str {
    match name.split_whitespace().next() {
        Some("Customer") | None => name.trim(),
        Some(first) => first,
    }
}

/// Sets and removes context variables, all or none.
pub fn edit_context(context: &Context, changes: &BTreeMap<String, Option<ContextValue>>) -> Result<Context, Problem> {
    let mut edited = context.clone();
    for (key, value) in changes {
        match value {
            Some(value) => {
                check_variable(key, value)?;
                edited.insert(key.clone(), value.clone());
            }
            None => {
                edited.remove(key);
            }
        }
    }
    if edited.len() > MAX_CONTEXT_VARIABLES {
        return Err(ErrorCode::TooManyContextVariables.into());
    }
    Ok(edited)
}

/// Refuses a context that breaks one of the rules.
pub fn check_context(context: &Context) -> Result<(), Problem> {
    if context.len() > MAX_CONTEXT_VARIABLES {
        return Err(ErrorCode::TooManyContextVariables.into());
    }
    context.iter().try_for_each(|(key, value)| check_variable(key, value))
}

fn check_variable(key: &str, value: &ContextValue) -> Result<(), Problem> {
    let fits = match value {
        ContextValue::Truth(_) => true,
        ContextValue::Number(number) => number.is_finite(),
        ContextValue::Text(text) => text.chars().count() <= MAX_MESSAGE_CHARS,
    };
    if key.trim().is_empty() || key.chars().count() > MAX_CONTEXT_KEY_CHARS || !fits {
        return Err(ErrorCode::BadContextVariable.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_neither_empty_nor_endless() {
        assert_eq!(check_message(" \n\t").unwrap_err().code, ErrorCode::EmptyMessage);
        assert!(check_message(&"ä".repeat(MAX_MESSAGE_CHARS)).is_ok());
        let long = "ä".repeat(MAX_MESSAGE_CHARS + 1);
        assert_eq!(check_message(&long).unwrap_err().code, ErrorCode::MessageTooLong);
    }

    #[test]
    fn a_long_text_is_divided_between_words_and_nothing_is_lost() {
        assert_eq!(pieces("  ", 10), Vec::<String>::new());
        assert_eq!(pieces("one two three", 8), ["one two", "three"]);
        assert_eq!(pieces("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        let text = "wörter und wörter ".repeat(500);
        let divided = pieces(&text, 1_600);
        assert!(divided.iter().all(|piece| piece.chars().count() <= 1_600));
        assert_eq!(divided.join(" "), text.trim());
    }

    #[test]
    fn a_list_shows_one_short_line() {
        assert_eq!(one_line("a\n b\t c "), "a b c");
        let cut = one_line(&"word ".repeat(100));
        assert_eq!(cut.chars().count(), 120);
        assert!(cut.ends_with('\u{2026}'));
    }

    #[test]
    fn a_hundred_variables_and_no_more() {
        let full: Context = (0..MAX_CONTEXT_VARIABLES)
            .map(|n| (format!("k{n}"), ContextValue::Truth(true)))
            .collect();
        let one_more = BTreeMap::from([("extra".to_string(), Some(ContextValue::Number(1.0)))]);
        assert_eq!(
            edit_context(&full, &one_more).unwrap_err().code,
            ErrorCode::TooManyContextVariables
        );
        let swap = BTreeMap::from([
            ("extra".to_string(), Some(ContextValue::Number(1.0))),
            ("k0".to_string(), None),
        ]);
        assert_eq!(edit_context(&full, &swap).unwrap().len(), MAX_CONTEXT_VARIABLES);
    }

    #[test]
    fn people_are_called_by_their_first_name_and_numbers_by_their_label() {
        assert_eq!(first_name(" Ana  Moreno "), "Ana");
        assert_eq!(first_name("Customer 4821"), "Customer 4821");
        assert_eq!(first_name(""), "");
    }

    #[test]
    fn names_are_case_sensitive_and_not_empty() {
        let changes = BTreeMap::from([
            ("Plan".to_string(), Some(ContextValue::Text("gold".into()))),
            ("plan".to_string(), Some(ContextValue::Text("tin".into()))),
        ]);
        assert_eq!(edit_context(&Context::new(), &changes).unwrap().len(), 2);
        let nameless = BTreeMap::from([(" ".to_string(), Some(ContextValue::Truth(false)))]);
        assert_eq!(
            edit_context(&Context::new(), &nameless).unwrap_err().code,
            ErrorCode::BadContextVariable
        );
    }
}
