//! How often something is tried before somebody else has to help: while a customer waits, that is not often.

use std::time::Duration;

/// The first pause; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(250);

/// Together about eight seconds of pauses.
const MOST: u32 = 5;

/// A refused sign-in is tried once more, with a new token.
const SIGN_INS: u32 = 1;

/// No customer waits longer for a service that asks for patience.
const LONGEST: Duration = Duration::from_secs(10);

/// What came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Nobody answered, or the connection broke.
    Silence,
    /// An answer that is none, with the service's own wish for patience.
    Status(u16, Option<Duration>),
}

/// What to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Once more, after this.
    Again(Duration),
    /// It does not work.
    GiveUp,
}

/// Counts failures in a row.
#[derive(Debug, Clone, Default)]
pub struct Patience {
    failures: u32,
    refusals: u32,
}

impl Patience {
    /// It works: the next failure is the first one.
    pub fn worked(&mut self) {
        *self = Self::default();
    }

    /// It does not.
    pub fn failed(&mut self, failure: Failure) -> Next {
        self.failures += 1;
        let asked = match failure {
            Failure::Status(401 | 403, _) => {
                self.refusals += 1;
                if self.refusals > SIGN_INS {
                    return Next::GiveUp;
                }
                None
            }
            // Busy or broken over there; everything else of that kind is about the request, and stays so.
            Failure::Status(status, asked) if status == 429 || status == 408 || status >= 500 => asked,
            Failure::Status(..) => return Next::GiveUp,
            Failure::Silence => None,
        };
        if self.failures >= MOST || asked.is_some_and(|asked| asked > LONGEST) {
            return Next::GiveUp;
        }
        let pause = FIRST.saturating_mul(1 << (self.failures - 1));
        Next::Again(asked.map_or(pause, |asked| asked.max(pause)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(millis: u64) -> Next {
        Next::Again(Duration::from_millis(millis))
    }

    #[test]
    fn pauses_grow_and_end() {
        let mut patience = Patience::default();
        let said: Vec<Next> = (0..5).map(|_| patience.failed(Failure::Silence)).collect();
        assert_eq!(
            said,
            [millis(250), millis(500), millis(1_000), millis(2_000), Next::GiveUp]
        );
        patience.worked();
        assert_eq!(patience.failed(Failure::Status(503, None)), millis(250));
    }

    #[test]
    fn a_refused_sign_in_is_tried_once_more() {
        let mut patience = Patience::default();
        assert_eq!(patience.failed(Failure::Status(403, None)), millis(250));
        assert_eq!(patience.failed(Failure::Status(403, None)), Next::GiveUp);
        assert_eq!(Patience::default().failed(Failure::Status(404, None)), Next::GiveUp);
    }

    #[test]
    fn a_service_may_ask_for_some_patience_and_not_for_much() {
        let asks = |seconds| Failure::Status(429, Some(Duration::from_secs(seconds)));
        assert_eq!(Patience::default().failed(asks(3)), millis(3_000));
        assert_eq!(Patience::default().failed(asks(60)), Next::GiveUp);
    }
}
