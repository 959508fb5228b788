//! A component for tests: functions of every type that JSON can be mapped to, and some that it cannot.

// What is generated calls only what stands in a cell.
#![cfg(target_arch = "wasm32")]
#![allow(
    unsafe_code,
    clippy::undocumented_unsafe_blocks,
    reason = "exports of the component model are symbols without mangling"
)]

mod bindings {
    #![allow(unsafe_code, missing_docs, unreachable_pub, clippy::all, clippy::undocumented_unsafe_blocks)]

    wit_bindgen::generate!({ path: "wit" });
}

use bindings::exports::test::types::echo::{Everything, Guest, Order, Refusal, Shape};
use bindings::exports::test::types::things::{self, GuestThing};

struct Types;

impl Guest for Types {
    fn all(everything: Everything) -> Everything {
        everything
    }

    fn outline(shape: Shape) -> Shape {
        shape
    }

    fn average(numbers: Vec<f64>) -> Result<f64, String> {
        match numbers.len() {
            0 => Err("there are no numbers".into()),
            count => Ok(numbers.iter().sum::<f64>() / count as f64),
        }
    }

    fn fail(how: Shape) -> Result<(), Shape> {
        Err(how)
    }

    fn join(first: String, second: String, separator: Option<String>) -> String {
        format!("{first}{}{second}", separator.as_deref().unwrap_or(" "))
    }

    fn nop() {}

    fn total(order: Order) -> Result<u64, Refusal> {
        match order.voucher.as_deref() {
            None | Some("HALF") => {}
            Some(other) => return Err(Refusal::UnknownVoucher(other.into())),
        }
        let mut total = 0;
        for item in &order.items {
            match item.amount.unwrap_or(1) {
                amount if amount > 100 => return Err(Refusal::TooMany(amount)),
                amount => total += u64::from(item.price) * u64::from(amount),
            }
        }
        Ok(if order.voucher.is_some() { total / 2 } else { total })
    }
}

struct Thing(String);

impl GuestThing for Thing {
    fn new(name: String) -> Self {
        Thing(name)
    }

    fn name(&self) -> String {
        self.0.clone()
    }
}

impl things::Guest for Types {
    type Thing = Thing;

    fn largest(mut things: Vec<things::Thing>) -> things::Thing {
        things.pop().unwrap_or_else(|| things::Thing::new(Thing(String::new())))
    }
}

bindings::export!(Types with_types_in bindings);
