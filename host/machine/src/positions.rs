//! Places in the order in which events were published, and sets of them.

use serde::{Deserialize, Serialize};

/// The place of an event among all that its broker has published: from 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub u64);

/// A set of positions. Those that follow each other take no more room than one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Positions {
    /// The first and the last position of each run, in order, with gaps between them.
    runs: Vec<(u64, u64)>,
}

impl Positions {
    /// Whether a position is in the set.
    pub fn contains(&self, position: Position) -> bool {
        let next = self.runs.partition_point(|(_, last)| *last < position.0);
        self.runs.get(next).is_some_and(|(first, _)| *first <= position.0)
    }

    /// Whether there is nothing in the set.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Adds a position.
    pub fn insert(&mut self, position: Position) {
        self.insert_run(position.0, position.0);
    }

    /// Adds all positions of another set.
    pub fn extend(&mut self, other: &Positions) {
        for (first, last) in &other.runs {
            self.insert_run(*first, *last);
        }
    }

    /// Forgets those that come before a position.
    pub fn forget_before(&mut self, oldest: Position) {
        let gone = self.runs.partition_point(|(_, last)| *last < oldest.0);
        self.runs.drain(..gone);
    }

    fn insert_run(&mut self, first: u64, last: u64) {
        // Runs that touch the new one become part of it.
        let start = self.runs.partition_point(|(_, end)| end.saturating_add(1) < first);
        let end = self.runs.partition_point(|(begin, _)| *begin <= last.saturating_add(1));
        let touched = &self.runs[start..end];
        let first = touched.first().map_or(first, |(begin, _)| first.min(*begin));
        let last = touched.last().map_or(last, |(_, end)| last.max(*end));
        self.runs.splice(start..end, [(first, last)]);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_set_of_positions_is_a_set(
            one in prop::collection::vec(0u64..40, 0..30),
            other in prop::collection::vec(0u64..40, 0..30),
            oldest in 0u64..40,
        ) {
            let set = |numbers: &[u64]| {
                let mut set = Positions::default();
                numbers.iter().for_each(|number| set.insert(Position(*number)));
                set
            };
            let mut both = set(&one);
            both.extend(&set(&other));
            let known: BTreeSet<u64> = one.iter().chain(&other).copied().collect();
            let all: Vec<u64> = known.iter().copied().collect();
            prop_assert_eq!(&both, &set(&all), "there is one way to write a set");
            both.forget_before(Position(oldest));
            for number in oldest..41 {
                prop_assert_eq!(both.contains(Position(number)), known.contains(&number));
            }
        }
    }

    #[test]
    fn positions_that_follow_each_other_take_the_room_of_one() {
        let mut set = Positions::default();
        (1..=1000).rev().for_each(|number| set.insert(Position(number)));
        assert_eq!(set.runs, [(1, 1000)]);
    }
}
