//! Telephone numbers as phone systems write them, and whether an SMS would reach somebody there.

/// What the phone system says of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneLine {
    /// Takes SMS.
    Mobile,
    /// Does not.
    Landline,
    /// Nothing; an SMS is worth the attempt.
    Unknown,
}

impl PhoneLine {
    /// From the word that phone systems use for it.
    pub fn of(word: &str) -> Self {
        let is = |name: &str| word.trim().eq_ignore_ascii_case(name);
        match () {
            () if is("landline") || is("fixed") || is("fixed_line") => Self::Landline,
            () if is("mobile") || is("cell") || is("wireless") => Self::Mobile,
            () => Self::Unknown,
        }
    }
}

/// Why nobody is reached by SMS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoSms {
    /// The caller withholds the number, or there is none.
    #[error("the caller's number is not known")]
    Absent,
    /// Not `+` and 7 to 15 digits (E.164).
    #[error("the caller's number is no telephone number with a country code")]
    NotANumber,
    /// It would be read out, or lost.
    #[error("the caller's number is a landline, which takes no SMS")]
    Landline,
}

/// A number in any of the spellings of phone systems, as `+` and digits.
///
/// # Errors
/// There is nobody whom an SMS could reach.
pub fn sms_number(number: Option<&str>, line: PhoneLine) -> Result<String, NoSms> {
    let number = number.unwrap_or_default().trim();
    let number = number.strip_prefix("tel:").unwrap_or(number);
    let withheld = [
        "",
        "anonymous",
        "restricted",
        "unavailable",
        "unknown",
        "private",
        "none",
    ];
    if withheld.iter().any(|word| number.eq_ignore_ascii_case(word)) {
        return Err(NoSms::Absent);
    }
    let digits = number.strip_prefix('+').ok_or(NoSms::NotANumber)?;
    let spelling = |character: char| !matches!(character, ' ' | '-' | '.' | '(' | ')' | '/');
    let digits: String = digits.chars().filter(|character| spelling(*character)).collect();
    let right = (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !right || digits.starts_with('0') {
        return Err(NoSms::NotANumber);
    }
    match line {
        PhoneLine::Mobile | PhoneLine::Unknown => Ok(format!("+{digits}")),
        PhoneLine::Landline => Err(NoSms::Landline),
    }
}
