//! Tokens that calls of one definition keep for each other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

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
    /// Who may obtain which token, as long as anybody wants to.
    turns: Mutex<HashMap<String, Weak<Turn<()>>>>,
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
        if lifetime.is_zero() || key.len() + token.len() > MAX_BYTES {
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

    fn turn(&self, key: &str) -> Arc<Turn<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(key).and_then(Weak::upgrade) {
            return turn;
        }
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::default();
        turns.insert(key.to_owned(), Arc::downgrade(&turn));
        turn
    }
}

/// The tokens as one call has them. Of the calls that need a token that nobody has kept, one obtains it while the others wait for
/// it, so that an authority is not asked a hundred times at once.
#[derive(Debug)]
pub(crate) struct Turns {
    tokens: Arc<Tokens>,
    /// Those that it is this call's turn to obtain. They are free again when the call ends, however it does.
    held: Mutex<HashMap<String, OwnedMutexGuard<()>>>,
}

impl Turns {
    pub(crate) fn new(tokens: Arc<Tokens>) -> Self {
        Turns { tokens, held: Mutex::default() }
    }

    /// The token that was kept; without one, it is the turn of this call once this returns.
    pub(crate) async fn kept(&self, key: &str) -> Option<String> {
        let found = self.tokens.get(key, Instant::now());
        if found.is_some() || self.held().contains_key(key) {
            return found;
        }
        let turn = self.tokens.turn(key).lock_owned().await;
        // Whoever had the turn before may have kept one.
        let found = self.tokens.get(key, Instant::now());
        if found.is_none() {
            self.held().insert(key.to_owned(), turn);
        }
        found
    }

    pub(crate) fn keep(&self, key: String, token: String, lifetime: Duration) {
        let turn = self.held().remove(&key);
        self.tokens.keep(key, token, lifetime, Instant::now());
        drop(turn);
    }

    pub(crate) fn forget(&self, key: &str) {
        self.tokens.forget(key);
        self.held().remove(key);
    }

    fn held(&self) -> std::sync::MutexGuard<'_, HashMap<String, OwnedMutexGuard<()>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
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

    #[tokio::test]
    async fn one_call_obtains_a_token_while_others_wait_for_it() {
        let tokens = Arc::new(Tokens::default());
        let [first, second, third] = [(); 3].map(|()| Turns::new(Arc::clone(&tokens)));
        assert_eq!(first.kept("a").await, None);
        assert_eq!(first.kept("a").await, None, "its own turn is not waited for");
        assert_eq!(second.kept("b").await, None, "another token is another turn");
        let mut waiting = std::pin::pin!(second.kept("a"));
        assert!(futures::poll!(&mut waiting).is_pending());
        first.keep("a".into(), "1".into(), Duration::from_secs(9));
        assert_eq!(waiting.await.as_deref(), Some("1"));
        assert_eq!(third.kept("a").await.as_deref(), Some("1"));
    }

    #[tokio::test]
    async fn the_turn_goes_on_when_a_call_ends_or_gives_up() {
        let tokens = Arc::new(Tokens::default());
        let [first, second, third] = [(); 3].map(|()| Turns::new(Arc::clone(&tokens)));
        assert_eq!(first.kept("a").await, None);
        {
            let mut waiting = std::pin::pin!(second.kept("a"));
            assert!(futures::poll!(&mut waiting).is_pending());
            drop(first);
            assert_eq!(waiting.await, None);
        }
        second.keep("a".into(), "over".into(), Duration::ZERO);
        assert_eq!(third.kept("a").await, None);
        third.forget("a");
        assert_eq!(second.kept("a").await, None);
        drop((second, third));
        tokens.turn("b");
        assert_eq!(tokens.turns.lock().unwrap().len(), 1, "turns that nobody takes are forgotten");
    }
}
