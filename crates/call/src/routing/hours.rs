//! Business hours, without a calendar: the week in minutes of the queue's own day.

use serde::{Deserialize, Serialize};
use sightline_wire::UnixMillis;
use std::collections::BTreeSet;

const MINUTE_MS: i64 = 60_000;
const DAY_MIN: i64 = 24 * 60;
/// How far ahead the next opening is looked for: every holiday season is shorter.
const HORIZON_DAYS: i64 = 60;

/// A part of a day, the same every week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// 0 is Monday, 6 is Sunday.
    pub weekday: u8,
    /// Minutes after midnight.
    pub from_min: u16,
    /// Minutes after midnight, 1440 for the day's end; what goes on past midnight is two spans.
    pub to_min: u16,
}

/// When a queue is open.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// The week.
    pub spans: Vec<Span>,
    /// Days on which it stays closed, counted from 1 January 1970.
    pub closed_days: BTreeSet<i64>,
    /// What the queue's clock is ahead of UTC, in minutes. There is no time zone in here: whoever configures the queue
    /// gives it again when its clock changes.
    pub ahead_min: i32,
}

/// Whether a queue is open, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// Open.
    Open {
        /// To be looked at again then.
        until: Option<UnixMillis>,
    },
    /// Closed.
    Closed {
        /// When it opens; `None` when that is not in sight.
        opens_at: Option<UnixMillis>,
    },
}

impl Hours {
    /// How it stands at this moment. Asked once for each opening and closing, not for each conversation.
    pub fn opened(&self, now: UnixMillis) -> Opened {
        for (from, to) in self.times(now) {
            if now < from {
                return Opened::Closed { opens_at: Some(from) };
            }
            if now < to {
                return Opened::Open { until: Some(to) };
            }
        }
        Opened::Closed { opens_at: None }
    }

    /// From today on, in order, those that touch each other made one.
    fn times(&self, now: UnixMillis) -> Vec<(UnixMillis, UnixMillis)> {
        let ahead = i64::from(self.ahead_min);
        let today = (now.div_euclid(MINUTE_MS) + ahead).div_euclid(DAY_MIN);
        let mut times: Vec<(UnixMillis, UnixMillis)> = Vec::new();
        for day in today..today + HORIZON_DAYS {
            if self.closed_days.contains(&day) {
                continue;
            }
            // 1 January 1970 was a Thursday.
            let weekday = (day + 3).rem_euclid(7);
            let at = |minute: u16| (day * DAY_MIN + i64::from(minute) - ahead) * MINUTE_MS;
            let mut spans: Vec<&Span> = self
                .spans
                .iter()
                .filter(|span| i64::from(span.weekday) == weekday && span.from_min < span.to_min)
                .collect();
            spans.sort_by_key(|span| span.from_min);
            for span in spans {
                let (from, to) = (at(span.from_min), at(span.to_min));
                match times.last_mut() {
                    Some(last) if from <= last.1 => last.1 = last.1.max(to),
                    Some(_) | None => times.push((from, to)),
                }
            }
        }
        times
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    const DAY: i64 = 24 * HOUR;
    /// Thursday 1 January 1970, 00:00 UTC.
    const THURSDAY: i64 = 0;

    fn weekdays(ahead_min: i32) -> Hours {
        Hours {
            spans: (0..5)
                .map(|weekday| Span {
                    weekday,
                    from_min: 9 * 60,
                    to_min: 17 * 60,
                })
                .collect(),
            closed_days: BTreeSet::new(),
            ahead_min,
        }
    }

    #[test]
    fn open_in_the_day_and_closed_over_the_weekend() {
        let hours = weekdays(0);
        let opens = |at| Opened::Closed { opens_at: Some(at) };
        assert_eq!(hours.opened(THURSDAY), opens(9 * HOUR));
        let open = Opened::Open { until: Some(17 * HOUR) };
        assert_eq!(hours.opened(9 * HOUR), open);
        assert_eq!(hours.opened(17 * HOUR - 1), open);
        assert_eq!(hours.opened(17 * HOUR), opens(DAY + 9 * HOUR));
        let friday_evening = DAY + 20 * HOUR;
        assert_eq!(hours.opened(friday_evening), opens(4 * DAY + 9 * HOUR));
    }

    #[test]
    fn a_holiday_and_another_clock() {
        let mut hours = weekdays(60);
        assert_eq!(
            hours.opened(THURSDAY),
            Opened::Closed {
                opens_at: Some(8 * HOUR)
            }
        );
        hours.closed_days = BTreeSet::from([0, 1]);
        assert_eq!(
            hours.opened(10 * HOUR),
            Opened::Closed {
                opens_at: Some(4 * DAY + 8 * HOUR)
            }
        );
    }

    #[test]
    fn a_night_is_one_time_and_no_hours_never_open() {
        let hours = Hours {
            spans: vec![
                Span {
                    weekday: 3,
                    from_min: 22 * 60,
                    to_min: 24 * 60,
                },
                Span {
                    weekday: 4,
                    from_min: 0,
                    to_min: 6 * 60,
                },
            ],
            ..Hours::default()
        };
        let night = Opened::Open {
            until: Some(DAY + 6 * HOUR),
        };
        assert_eq!(hours.opened(23 * HOUR), night);
        assert_eq!(hours.opened(DAY + HOUR), night);
        assert_eq!(Hours::default().opened(0), Opened::Closed { opens_at: None });
    }
}
