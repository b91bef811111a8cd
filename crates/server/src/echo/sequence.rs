//! Which packets of a stream came, by their sequence numbers (RFC 3550, appendix A.3).

use std::collections::BTreeSet;

/// Numbers that grow without wrapping, from the 16 bits in each packet.
#[derive(Default)]
pub struct Unwrapped {
    newest: Option<u64>,
}

impl Unwrapped {
    /// The number that is meant: the nearest to the newest one.
    pub fn next(&mut self, number: u16) -> u64 {
        let Some(newest) = self.newest else {
            // Room for packets that were sent before the first to come.
            let first = u64::from(u16::MAX) + 1 + u64::from(number);
            self.newest = Some(first);
            return first;
        };
        let ahead = i64::from(number.wrapping_sub(newest as u16) as i16);
        let meant = newest.saturating_add_signed(ahead);
        self.newest = Some(newest.max(meant));
        meant
    }
}

/// Counts what came and what should have come.
#[derive(Default)]
pub struct Arrivals {
    numbers: Unwrapped,
    came: BTreeSet<u64>,
}

impl Arrivals {
    /// A packet has come. One that came before counts once.
    pub fn came(&mut self, number: u16) {
        let number = self.numbers.next(number);
        self.came.insert(number);
    }

    /// How many different ones came.
    pub fn count(&self) -> u64 {
        self.came.len() as u64
    }

    /// How many were sent between the first and the last that came.
    pub fn expected(&self) -> u64 {
        match (self.came.first(), self.came.last()) {
            (Some(first), Some(last)) => last - first + 1,
            (None, _) | (_, None) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_past_their_16_bits_and_back_for_the_late() {
        let mut numbers = Unwrapped::default();
        let first = numbers.next(65_534);
        let meant = [65_535, 1, 0, 2].map(|number| numbers.next(number) - first);
        assert_eq!(meant, [1, 3, 2, 4]);
        // Before the very first.
        let mut numbers = Unwrapped::default();
        let first = numbers.next(0);
        assert_eq!(numbers.next(65_535), first - 1);
    }

    #[test]
    fn a_gap_is_a_loss_until_it_is_filled_and_a_repetition_is_none() {
        let mut arrivals = Arrivals::default();
        assert_eq!((arrivals.count(), arrivals.expected()), (0, 0));
        for number in [65_533, 65_534, 65_534, 1, 0] {
            arrivals.came(number);
        }
        assert_eq!((arrivals.count(), arrivals.expected()), (4, 5));
        arrivals.came(65_535);
        assert_eq!((arrivals.count(), arrivals.expected()), (5, 5));
    }
}
