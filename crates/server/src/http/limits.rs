//! Counting attempts: so many in a window, then no more until it has passed.

use std::{collections::HashMap, hash::Hash, sync::Mutex};

/// Entries kept before old ones are swept out.
const SWEEP_AT: usize = 10_000;

/// How many attempts in which time.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    /// Attempts.
    pub attempts: u32,
    /// Milliseconds.
    pub window_ms: i64,
}

/// Counts attempts per key.
pub struct Limiter<K> {
    allowance: Allowance,
    seen: Mutex<HashMap<K, (i64, u32)>>,
}

impl<K: Eq + Hash> Limiter<K> {
    /// A limiter that has seen nothing.
    pub fn new(allowance: Allowance) -> Self {
        Self {
            allowance,
            seen: Mutex::default(),
        }
    }

    /// Whether the key has used its allowance up.
    pub fn exhausted(&self, key: &K, now: i64) -> bool {
        let seen = self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        seen.get(key)
            .is_some_and(|(since, count)| now - since < self.allowance.window_ms && *count >= self.allowance.attempts)
    }

    /// Counts one attempt.
    pub fn count(&self, key: K, now: i64) {
        let mut seen = self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if seen.len() >= SWEEP_AT {
            seen.retain(|_, (since, _)| now - *since < self.allowance.window_ms);
        }
        let entry = seen.entry(key).or_insert((now, 0));
        if now - entry.0 >= self.allowance.window_ms {
            *entry = (now, 0);
        }
        entry.1 += 1;
    }

    /// Forgets a key.
    pub fn forget(&self, key: &K) {
        self.seen
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_allowance_comes_back_with_the_next_window() {
        let limiter = Limiter::new(Allowance {
            attempts: 2,
            window_ms: 100,
        });
        limiter.count("a", 0);
        assert!(!limiter.exhausted(&"a", 1));
        limiter.count("a", 50);
        assert!(limiter.exhausted(&"a", 99));
        assert!(!limiter.exhausted(&"b", 99));
        assert!(!limiter.exhausted(&"a", 100));
        limiter.count("a", 100);
        assert!(!limiter.exhausted(&"a", 101));
        limiter.forget(&"a");
        assert!(!limiter.exhausted(&"a", 101));
    }
}
