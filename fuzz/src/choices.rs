//! Bytes as choices: whoever changes a byte makes another choice, and leaves the others as they were.

/// Choices that are left. When there are no more, every choice is the first.
pub(crate) struct Choices<'d> {
    rest: &'d [u8],
}

impl<'d> Choices<'d> {
    pub(crate) fn new(data: &'d [u8]) -> Self {
        Choices { rest: data }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        *first
    }

    /// A number below `count`.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count.max(1)
    }

    /// One of several.
    pub(crate) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// Whether something that happens once in so many times happens. It does not, when there are no choices left.
    pub(crate) fn once_in(&mut self, count: u8) -> bool {
        let byte = self.byte();
        byte != 0 && byte.is_multiple_of(count)
    }
}
