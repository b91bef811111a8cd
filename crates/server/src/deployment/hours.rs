//! Business hours as an operator writes them.

use super::tables::HoursTable;
use sightline_call::routing::{Hours, Span};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// What the table says; the error is the rest of a sentence that begins with its place.
pub fn hours(table: &HoursTable) -> Result<Hours, String> {
    let mut hours = Hours {
        ahead_min: match &table.utc {
            None => 0,
            Some(text) => ahead(text).ok_or_else(|| format!("utc is like \"+01:00\", not \"{text}\""))?,
        },
        ..Hours::default()
    };
    for line in &table.open {
        let wrong = || format!("open is like \"mon-fri 09:00-17:00\", not \"{line}\"");
        hours.spans.extend(spans(line).ok_or_else(wrong)?);
    }
    for date in &table.closed {
        let day = day_number(date).ok_or_else(|| format!("closed is like \"2026-12-25\", not \"{date}\""))?;
        hours.closed_days.insert(day);
    }
    Ok(hours)
}

fn spans(line: &str) -> Option<Vec<Span>> {
    let (days, times) = line.trim().split_once(' ')?;
    let (first, last) = days.split_once('-').unwrap_or((days, days));
    let day = |name: &str| DAYS.iter().position(|day| name.eq_ignore_ascii_case(day));
    let (first, last) = (day(first)?, day(last)?);
    let (from, to) = times.trim().split_once('-')?;
    let (from_min, to_min) = (minutes(from)?, minutes(to)?);
    if first > last || from_min >= to_min {
        return None;
    }
    let span = |day| {
        Some(Span {
            weekday: u8::try_from(day).ok()?,
            from_min,
            to_min,
        })
    };
    (first..=last).map(span).collect()
}

fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let two = |text: &str| (text.len() == 2).then(|| text.parse::<u16>().ok()).flatten();
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (minutes < 60 && hours * 60 + minutes <= 24 * 60).then_some(hours * 60 + minutes)
}

fn ahead(text: &str) -> Option<i32> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let minutes = minutes(rest)?;
    (minutes <= 14 * 60).then(|| sign * i32::from(minutes))
}

/// Days since 1 January 1970.
fn day_number(date: &str) -> Option<i64> {
    let parts: Vec<i64> = date.split('-').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [year, month, day] = parts[..] else { return None };
    let long = [4, 6, 9, 11].contains(&month);
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let last = match month {
        2 if leap => 29,
        2 => 28,
        _ if long => 30,
        _ => 31,
    };
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=last).contains(&day) {
        return None;
    }
    // Years that begin in March put the leap day at their end.
    let (shifted, from_march) = (year - i64::from(month <= 2), (month + 9) % 12);
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * from_march + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(open: &[&str], closed: &[&str], utc: &str) -> HoursTable {
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        HoursTable {
            open: texts(open),
            closed: texts(closed),
            utc: Some(utc.into()),
        }
    }

    #[test]
    fn a_week_a_holiday_and_a_clock() {
        let read = hours(&table(
            &["mon-fri 09:00-17:30", "Sat 10:00-24:00"],
            &["1970-01-02", "2026-12-25"],
            "-03:30",
        ))
        .unwrap();
        assert_eq!(read.spans.len(), 6);
        assert_eq!((read.spans[4].weekday, read.spans[4].to_min), (4, 17 * 60 + 30));
        assert_eq!((read.spans[5].weekday, read.spans[5].to_min), (5, 24 * 60));
        assert_eq!(read.closed_days, [1, 20_812].into());
        assert_eq!(read.ahead_min, -210);
    }

    #[test]
    fn what_is_not_understood_is_shown_with_an_example() {
        for (open, closed, utc) in [
            ("mon 9:00-17:00", "2026-12-25", "+01:00"),
            ("fri-mon 09:00-17:00", "2026-12-25", "+01:00"),
            ("mon 17:00-09:00", "2026-12-25", "+01:00"),
            ("mon 09:00-17:00", "2026-02-29", "+01:00"),
            ("mon 09:00-17:00", "25.12.2026", "+01:00"),
            ("mon 09:00-17:00", "2026-12-25", "CET"),
        ] {
            assert!(hours(&table(&[open], &[closed], utc)).unwrap_err().contains("is like"));
        }
    }
}
