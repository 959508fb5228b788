//! Asks the carriers what it costs to bring the orders to each region, and takes the best offer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What goes to a region.
#[derive(Deserialize)]
struct Freight {
    orders: u64,
    grams: u64,
}

#[derive(Debug, PartialEq, Serialize)]
struct Quote {
    carrier: &'static str,
    days: u32,
    /// In hundredths of a euro.
    cents: u64,
}

/// What a carrier takes, in hundredths of a euro.
struct Tariff {
    carrier: &'static str,
    regions: &'static [&'static str],
    days: u32,
    cents_per_order: u64,
    cents_per_kilogram: u64,
}

const TARIFFS: [Tariff; 5] = [
    Tariff { carrier: "Gelbe Post", regions: &["EU"], days: 2, cents_per_order: 449, cents_per_kilogram: 38 },
    Tariff { carrier: "Channel Cargo", regions: &["EU", "UK"], days: 3, cents_per_order: 590, cents_per_kilogram: 31 },
    Tariff { carrier: "Prairie Parcel", regions: &["NA"], days: 3, cents_per_order: 520, cents_per_kilogram: 44 },
    Tariff {
        carrier: "Blue Container",
        regions: &["UK", "NA", "APAC"],
        days: 24,
        cents_per_order: 910,
        cents_per_kilogram: 12,
    },
    Tariff {
        carrier: "Everywhere Air",
        regions: &["EU", "UK", "NA", "APAC"],
        days: 1,
        cents_per_order: 1_290,
        cents_per_kilogram: 310,
    },
];

/// What a day of waiting is worth: customers who wait for long order elsewhere.
const CENTS_PER_ORDER_AND_DAY: u64 = 120;

#[hotcell::task]
fn quote(freight: BTreeMap<String, Freight>) -> BTreeMap<String, Quote> {
    let regions = freight.len();
    let mut quotes = BTreeMap::new();
    for (done, (region, freight)) in freight.into_iter().enumerate() {
        hotcell::report(done as f64 / regions as f64, format_args!("asking for {region}"));
        match best(&region, &freight) {
            Some(quote) => {
                quotes.insert(region, quote);
            }
            None => hotcell::warn(format_args!("nobody goes to {region}")),
        }
    }
    hotcell::report(1.0, format_args!("{} offers taken", quotes.len()));
    quotes
}

fn best(region: &str, freight: &Freight) -> Option<Quote> {
    TARIFFS
        .iter()
        .filter(|tariff| tariff.regions.contains(&region))
        .map(|tariff| {
            let cents =
                freight.orders * tariff.cents_per_order + freight.grams.div_ceil(1_000) * tariff.cents_per_kilogram;
            Quote { carrier: tariff.carrier, days: tariff.days, cents }
        })
        .min_by_key(|quote| quote.cents + freight.orders * u64::from(quote.days) * CENTS_PER_ORDER_AND_DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn light_freight_flies_and_heavy_freight_swims() {
        let light = best("APAC", &Freight { orders: 10, grams: 2_000 }).unwrap();
        let heavy = best("APAC", &Freight { orders: 10, grams: 9_000_000 }).unwrap();
        assert_eq!(light.carrier, "Everywhere Air");
        assert_eq!(heavy, Quote { carrier: "Blue Container", days: 24, cents: 10 * 910 + 9_000 * 12 });
    }

    #[test]
    fn a_region_that_nobody_serves_has_no_quote() {
        assert_eq!(quote(BTreeMap::from([("MOON".to_owned(), Freight { orders: 1, grams: 1 })])), BTreeMap::new());
    }
}
