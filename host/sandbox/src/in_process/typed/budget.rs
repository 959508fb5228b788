//! The bounds on mapping: of types, and of values.

use wasmtime::component::types::{ComponentFunc, Type};

use crate::{CallError, CallLimits, PayloadKind, PayloadUnit};

/// How deep types may be nested. The component model itself has a limit of 100.
const MAX_TYPE_DEPTH: usize = 100;
/// How many types are looked at in one component: against types that use another twice, which uses another twice, and so on.
const MAX_TYPES: usize = 100_000;

/// So many bytes of names, or so many names to be searched, count as a value: against types whose names or cases are large
/// and whose values are small.
const NAMES_PER_VALUE: usize = 64;

/// Finds out whether JSON can be mapped to the types of functions, as long as they are not too many.
pub(in crate::in_process) struct TypeBudget {
    left: usize,
}

impl Default for TypeBudget {
    fn default() -> Self {
        TypeBudget { left: MAX_TYPES }
    }
}

impl TypeBudget {
    /// Why a function cannot be called with JSON, if it cannot.
    pub(in crate::in_process) fn check(&mut self, function: &ComponentFunc) -> Result<(), String> {
        if function.async_() {
            return Err("it is an asynchronous function of WASI 0.3; build it for WASI 0.2".into());
        }
        for (name, ty) in function.params() {
            self.walk(&ty, 0)
                .map_err(|reason| format!("its parameter `{}` {reason}", super::outcome::excerpt(name)))?;
        }
        function.results().try_for_each(|ty| self.walk(&ty, 0).map_err(|reason| format!("its result {reason}")))
    }

    fn walk(&mut self, ty: &Type, depth: usize) -> Result<(), String> {
        let names = match ty {
            Type::Enum(ty) => ty.names().len(),
            Type::Flags(ty) => ty.names().len(),
            _ => 0,
        };
        self.left = self.left.checked_sub(1 + names).ok_or("has a type that is too large")?;
        if depth == MAX_TYPE_DEPTH {
            return Err("has a type that is nested too deeply".into());
        }
        let mut inner = |ty: &Type| self.walk(ty, depth + 1);
        match ty {
            Type::List(list) => inner(&list.ty()),
            Type::Record(record) => record.fields().try_for_each(|field| inner(&field.ty)),
            Type::Tuple(tuple) => tuple.types().try_for_each(|ty| inner(&ty)),
            Type::Variant(variant) => variant.cases().filter_map(|case| case.ty).try_for_each(|ty| inner(&ty)),
            Type::Option(option) => inner(&option.ty()),
            Type::Result(result) => result.ok().into_iter().chain(result.err()).try_for_each(|ty| inner(&ty)),
            Type::Own(_) | Type::Borrow(_) => refused("a resource"),
            Type::Future(_) => refused("a future"),
            Type::Stream(_) => refused("a stream"),
            Type::ErrorContext => refused("an error context"),
            Type::Map(_) => refused("a map"),
            Type::FixedLengthList(_) => refused("a list of fixed length"),
            _ => Ok(()),
        }
    }
}

fn refused(what: &str) -> Result<(), String> {
    Err(format!("is or holds {what}, which JSON cannot hold"))
}

/// How many values are still mapped.
pub(super) struct Budget {
    what: PayloadKind,
    limit: usize,
    left: usize,
}

impl Budget {
    pub(super) fn of(what: PayloadKind, limits: &CallLimits) -> Self {
        Budget { what, limit: limits.payload_values, left: limits.payload_values }
    }

    /// Takes one value, with the bytes of the names in it, or the number of names among which it is found.
    pub(super) fn take(&mut self, names: usize) -> Result<(), CallError> {
        match self.left.checked_sub(1 + names / NAMES_PER_VALUE) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(CallError::PayloadLimit { what: self.what, limit: self.limit, unit: PayloadUnit::Values }),
        }
    }
}
