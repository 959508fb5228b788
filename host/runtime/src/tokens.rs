//! Tokens that calls of one definition keep for each other.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many tokens a definition keeps. Answers definitions whose credentials differ with each execution.
const MAX_TOKENS: usize = 256;
/// The largest token with its key, in bytes.
const MAX_BYTES: usize = 64 << 10;
/// The longest that a token is kept, whatever its lifetime is.
const MAX_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The tokens of one definition of one tenant; nothing is shared beyond. They are in memory only.
#[derive(Default)]
pub(crate) struct Tokens {
    kept: Mutex<HashMap<String, Kept>>,
}

struct Kept {
    token: String,
    until: Instant,
}

impl Tokens {
    pub(crate) fn get(&self, key: &str, now: Instant) -> Option<String> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(key).filter(|kept| kept.until > now).map(|kept| kept.token.clone())
    }

    pub(crate) fn keep(&self, key: String, token: String, lifetime: Duration, now: Instant) {
        if key.len() + token.len() > MAX_BYTES {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_TOKENS {
            kept.retain(|_, kept| kept.until > now);
        }
        if kept.len() >= MAX_TOKENS && !kept.contains_key(&key) {
            let first = kept.iter().min_by_key(|(_, kept)| kept.until).map(|(key, _)| key.clone());
            first.and_then(|key| kept.remove(&key));
        }
        kept.insert(key, Kept { token, until: now + lifetime.min(MAX_LIFETIME) });
    }

    pub(crate) fn forget(&self, key: &str) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

/// Tokens are secrets.
impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_kept_until_its_lifetime_is_over_or_it_is_forgotten() {
        let (tokens, now) = (Tokens::default(), Instant::now());
        let second = Duration::from_secs(1);
        tokens.keep("a".into(), "1".into(), second, now);
        tokens.keep("b".into(), "2".into(), second, now);
        tokens.forget("b");
        assert_eq!(tokens.get("a", now).as_deref(), Some("1"));
        assert_eq!(tokens.get("a", now + second), None);
        assert_eq!(tokens.get("b", now), None);
    }

    #[test]
    fn the_token_that_ends_first_makes_room_for_the_next() {
        let (tokens, now) = (Tokens::default(), Instant::now());
        for n in 0..=MAX_TOKENS as u64 {
            tokens.keep(n.to_string(), "t".into(), Duration::from_secs(100 + n), now);
        }
        assert_eq!(tokens.get("0", now), None);
        assert!(tokens.get("1", now).is_some());
        assert!(tokens.get(&MAX_TOKENS.to_string(), now).is_some());
        tokens.keep("large".into(), "x".repeat(MAX_BYTES), Duration::from_secs(9), now);
        assert_eq!(tokens.get("large", now), None);
    }
}
