//! The bound on a call's linear memories and tables.

use wasmtime::{Error, ResourceLimiter, Result};

use super::engine::TABLE_ELEMENTS;

/// Counts all linear memories of a call together. wasmtime's own limits are for each memory alone, so that a
/// component with four memories would get four times as much.
///
/// What was granted once stays counted, also if the system then refused it. wasmtime reports failures of growth
/// that it never asked for, and a guest can cause them at will: if they were taken back from the count, it could
/// count down in this way what it really has.
pub(super) struct MemoryBound {
    limit: usize,
    used: usize,
    denied: Option<Denied>,
}

/// What a guest was denied last. It is told so, and may go on; if it gives up instead, this is why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denied {
    Memory,
    TableElements,
}

impl MemoryBound {
    pub(super) fn new(limit: usize) -> Self {
        MemoryBound { limit, used: 0, denied: None }
    }

    /// Bytes of all memories. They never shrink, so that this is the peak, too.
    pub(super) fn used(&self) -> usize {
        self.used
    }

    pub(super) fn denied(&self) -> Option<Denied> {
        self.denied
    }
}

impl ResourceLimiter for MemoryBound {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        let more = desired.saturating_sub(current);
        if self.used.saturating_add(more) > self.limit {
            self.denied = Some(Denied::Memory);
            return Ok(false);
        }
        // The memory's own maximum is the component's choice: no limit of ours is passed.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.used += more;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _: Error) -> Result<()> {
        self.denied = Some(Denied::Memory);
        Ok(())
    }

    fn table_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        if desired > TABLE_ELEMENTS {
            self.denied = Some(Denied::TableElements);
            return Ok(false);
        }
        Ok(maximum.is_none_or(|maximum| desired <= maximum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_memories_of_a_call_share_one_bound() {
        let mut bound = MemoryBound::new(100);
        assert!(bound.memory_growing(0, 60, None).unwrap());
        assert!(!bound.memory_growing(0, 60, None).unwrap());
        assert_eq!(bound.denied(), Some(Denied::Memory));
        assert!(bound.memory_growing(0, 40, None).unwrap());
        assert_eq!(bound.used(), 100);
    }

    #[test]
    fn failed_growth_cannot_be_used_to_count_down() {
        let mut bound = MemoryBound::new(100);
        assert!(bound.memory_growing(0, 60, None).unwrap());
        bound.memory_grow_failed(Error::msg("beyond what the memory's type can represent")).unwrap();
        assert!(!bound.memory_growing(60, 120, None).unwrap());
    }

    #[test]
    fn a_memory_at_its_own_maximum_has_not_passed_a_limit() {
        let mut bound = MemoryBound::new(100);
        assert!(!bound.memory_growing(10, 30, Some(20)).unwrap());
        assert_eq!(bound.denied(), None);
    }
}
