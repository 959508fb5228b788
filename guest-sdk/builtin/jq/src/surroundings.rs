//! What a program sees of the world besides its input and its variables: the time, and nothing else.

use std::cell::RefCell;

use jaq_core::data::HasLut;
use jaq_core::{DataT, Lut};

use crate::value::Value;

/// Ties programs to our values and to their surroundings.
pub(crate) struct Data;

impl DataT for Data {
    type V<'a> = Value;
    type Data<'a> = &'a Surroundings<'a>;
}

/// Made anew for every evaluation.
pub(crate) struct Surroundings<'a> {
    pub(crate) program: &'a Lut<Data>,
    /// What `now` yields: seconds since 1970.
    pub(crate) now: f64,
    /// What `halt_error` said.
    pub(crate) last_words: RefCell<Option<Value>>,
}

impl<'a> HasLut<'a, Data> for &'a Surroundings<'a> {
    fn lut(&self) -> &'a Lut<Data> {
        self.program
    }
}
