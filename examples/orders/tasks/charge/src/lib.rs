//! Charges the customers through a payment provider that has bad moments: it is overloaded when asked for the first and
//! second time. The workflow retries.

use std::collections::BTreeMap;

use hotcell::{Problem, kind};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Charge {
    /// In hundredths of each currency.
    amounts: BTreeMap<String, u64>,
}

#[derive(Debug, PartialEq, Serialize)]
struct Receipt {
    receipt: String,
    attempt: u32,
}

/// The attempt at which the provider has recovered.
const RECOVERED: u32 = 3;

#[hotcell::task]
fn charge(Charge { amounts }: Charge) -> Result<Receipt, Problem> {
    let call = hotcell::context();
    hotcell::report(0.2, format_args!("asking the provider, attempt {}", call.attempt));
    if call.attempt < RECOVERED {
        return Err(Problem::new("the payment provider is overloaded and asks to try again later")
            .kind(kind::COMMUNICATION)
            .status(503)
            .title("Payment provider unavailable"));
    }

    // A real provider would be given `call.idempotency_key` here, so that a call that is repeated charges once.
    for (done, (currency, cents)) in amounts.iter().enumerate() {
        hotcell::report(0.2 + 0.8 * done as f64 / amounts.len() as f64, format_args!("charging in {currency}"));
        hotcell::info(format_args!("charged {}.{:02} {currency}", cents / 100, cents % 100));
    }
    let number = amounts.values().fold(0_u64, |number, cents| number.wrapping_mul(31).wrapping_add(*cents));
    Ok(Receipt { receipt: format!("R-{:08}", number % 100_000_000), attempt: call.attempt })
}

#[cfg(test)]
mod tests {
    use hotcell::testing::Call;

    use super::*;

    fn one_euro() -> Charge {
        Charge { amounts: BTreeMap::from([("EUR".to_owned(), 100)]) }
    }

    #[test]
    fn the_provider_is_overloaded_at_first() {
        for attempt in 1..RECOVERED {
            let told = Call::new().attempt(attempt).run(|| charge(one_euro()));
            assert_eq!(told.returned.unwrap_err().status, Some(503));
        }
    }

    #[test]
    fn the_third_attempt_charges_every_currency() {
        let told = Call::new().attempt(RECOVERED).run(|| charge(one_euro()));
        assert_eq!(told.returned.unwrap(), Receipt { receipt: "R-00000100".to_owned(), attempt: 3 });
        assert_eq!(told.logs.len(), 1);
    }
}
