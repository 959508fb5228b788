//! Takes from the warehouses what the orders need, and tells what is missing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Pieces of each product.
type Pieces = BTreeMap<String, u64>;

#[derive(Deserialize)]
struct Request {
    /// What leaves.
    demand: Pieces,
    /// What each warehouse has.
    stock: BTreeMap<String, Pieces>,
}

#[derive(Debug, PartialEq, Serialize)]
struct Answer {
    /// What each warehouse sends.
    picked: BTreeMap<String, Pieces>,
    /// What no warehouse has.
    missing: Pieces,
}

#[hotcell::task]
fn stock(Request { demand, mut stock }: Request) -> Answer {
    let mut answer = Answer { picked: BTreeMap::new(), missing: BTreeMap::new() };
    let products = demand.len();
    for (done, (sku, mut wanted)) in demand.into_iter().enumerate() {
        hotcell::report(done as f64 / products as f64, &sku);

        // The fullest warehouse first: fewer parcels for each order.
        let mut warehouses: Vec<_> = stock.iter_mut().collect();
        warehouses.sort_by_key(|(_, pieces)| std::cmp::Reverse(pieces.get(&sku).copied().unwrap_or(0)));
        for (warehouse, pieces) in warehouses {
            let Some(there) = pieces.get_mut(&sku) else { continue };
            let taken = wanted.min(*there);
            if taken > 0 {
                *there -= taken;
                wanted -= taken;
                answer.picked.entry(warehouse.clone()).or_default().insert(sku.clone(), taken);
            }
        }
        if wanted > 0 {
            hotcell::warn(format_args!("{wanted} pieces of {sku} are missing"));
            answer.missing.insert(sku, wanted);
        }
    }
    hotcell::report(1.0, format_args!("{products} products checked"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(of: &[(&str, u64)]) -> Pieces {
        of.iter().map(|(sku, number)| ((*sku).to_owned(), *number)).collect()
    }

    #[test]
    fn the_fullest_warehouse_is_emptied_first_and_what_is_missing_is_told() {
        let stock = BTreeMap::from([
            ("Hamburg".to_owned(), pieces(&[("CHAIR", 2)])),
            ("Memphis".to_owned(), pieces(&[("CHAIR", 5)])),
        ]);
        let request = Request { demand: pieces(&[("CHAIR", 9), ("STAPLER", 0)]), stock };

        let told = hotcell::testing::Call::new().run(|| super::stock(request));

        assert_eq!(told.returned.picked["Memphis"], pieces(&[("CHAIR", 5)]));
        assert_eq!(told.returned.picked["Hamburg"], pieces(&[("CHAIR", 2)]));
        assert_eq!(told.returned.missing, pieces(&[("CHAIR", 2)]));
        assert_eq!(told.reports.last().and_then(|report| report.fraction), Some(1.0));
    }
}
