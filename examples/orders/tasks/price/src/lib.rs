//! Prices one order: finds the cheapest way to fill each line from pieces, packs and pallets, takes the coupon off, and
//! refuses what the shop does not do.

mod catalogue;
mod packing;

use std::collections::BTreeMap;

use hotcell::Problem;
use serde::{Deserialize, Serialize};

use crate::catalogue::Currency;

/// What a customer orders.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    id: String,
    region: String,
    currency: Currency,
    customer: Customer,
    lines: Vec<Line>,
    coupon: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Customer {
    name: String,
    /// What the customer may owe, in hundredths of a euro.
    credit_cents: u64,
}

#[derive(Deserialize)]
struct Line {
    sku: String,
    quantity: u32,
}

/// What the order costs.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Priced {
    order: String,
    region: String,
    currency: Currency,
    /// The price in hundredths of the order's currency.
    cents: u64,
    /// What packs, pallets and the coupon took off the price by the piece, in hundredths of the order's currency.
    saved_cents: u64,
    /// What the order weighs.
    grams: u64,
    /// How many pieces of each product leave the warehouse: whole packs, so at times more than ordered.
    pieces: BTreeMap<String, u64>,
}

/// More than this is not an order but a negotiation.
const MOST_PIECES: u32 = 50_000;

#[hotcell::task]
fn price(order: Order) -> Result<Priced, Problem> {
    let mut by_piece = 0;
    let mut cents = 0;
    let mut grams = 0;
    let mut pieces = BTreeMap::new();
    for line in &order.lines {
        let product = catalogue::product(&line.sku)
            .ok_or_else(|| refused(&order, format!("there is no product {} in the catalogue", line.sku)))?;
        if line.quantity == 0 || line.quantity > MOST_PIECES {
            let detail =
                format!("{} pieces of {}: between 1 and {MOST_PIECES} can be ordered", line.quantity, line.sku);
            return Err(refused(&order, detail));
        }
        let packing = packing::cheapest(line.quantity, product.packs);
        by_piece += u64::from(line.quantity) * product.piece_cents();
        cents += packing.cents;
        grams += packing.pieces * product.grams;
        *pieces.entry(line.sku.clone()).or_default() += packing.pieces;
    }

    if let Some(coupon) = &order.coupon {
        let percent = catalogue::coupon(coupon, cents)
            .ok_or_else(|| refused(&order, format!("there is no coupon {coupon}, or it has expired")))?;
        cents -= cents * percent / 100;
    }
    if cents > order.customer.credit_cents {
        let (owes, may) = (cents / 100, order.customer.credit_cents / 100);
        let detail = format!("{} would owe {owes} euros and may owe {may}: ask for a deposit", order.customer.name);
        return Err(refused(&order, detail));
    }

    let saved = by_piece.saturating_sub(cents);
    if saved * 2 > by_piece {
        hotcell::info(format_args!("{}: {}% off the price by the piece", order.id, saved * 100 / by_piece));
    }
    Ok(Priced {
        cents: order.currency.exchange(cents),
        saved_cents: order.currency.exchange(saved),
        order: order.id,
        region: order.region,
        currency: order.currency,
        grams,
        pieces,
    })
}

/// A refusal, which the workflow catches by its status.
fn refused(order: &Order, detail: String) -> Problem {
    hotcell::warn(format_args!("{}: {detail}", order.id));
    Problem::new(detail)
        .kind("https://example.com/problems/order-refused")
        .status(422)
        .title("Order refused")
        .with("order", &order.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(lines: &[(&str, u32)]) -> Order {
        let lines = lines.iter().map(|(sku, quantity)| Line { sku: (*sku).to_owned(), quantity: *quantity }).collect();
        let customer = Customer { name: "Kontor Achtzehn".to_owned(), credit_cents: 1_000_000 };
        Order { id: "O-1".to_owned(), region: "EU".to_owned(), currency: Currency::Eur, customer, lines, coupon: None }
    }

    #[test]
    fn a_single_piece_costs_the_price_by_the_piece() {
        let priced = price(order(&[("STAPLER", 1)])).unwrap();
        assert_eq!((priced.cents, priced.saved_cents, priced.grams), (899, 0, 310));
    }

    #[test]
    fn a_full_carton_is_cheaper_than_its_pieces() {
        let priced = price(order(&[("STAPLER", 20)])).unwrap();
        assert_eq!(priced.cents, 14_900);
        assert_eq!(priced.saved_cents, 20 * 899 - 14_900);
    }

    #[test]
    fn a_coupon_takes_its_percentage_off() {
        let with_coupon = Order { coupon: Some("SPRING5".to_owned()), ..order(&[("STAPLER", 20)]) };
        assert_eq!(price(with_coupon).unwrap().cents, 14_155);
    }

    #[test]
    fn an_unknown_product_is_refused_with_the_status_that_the_workflow_catches() {
        let problem = price(order(&[("TYPEWRITER", 3)])).unwrap_err();
        assert_eq!(problem.status, Some(422));
        assert_eq!(problem.detail.as_deref(), Some("there is no product TYPEWRITER in the catalogue"));
    }

    #[test]
    fn no_piece_too_many_pieces_a_wrong_coupon_and_too_much_debt_are_refused() {
        let wrong_coupon = Order { coupon: Some("EVERYTHING-FREE".to_owned()), ..order(&[("CHAIR", 1)]) };
        let orders =
            [order(&[("CHAIR", 0)]), order(&[("CHAIR", MOST_PIECES + 1)]), wrong_coupon, order(&[("CHAIR", 4_000)])];
        for order in orders {
            assert_eq!(price(order).unwrap_err().status, Some(422));
        }
    }

    /// What the workflow beside this crate is shown with.
    #[test]
    fn of_the_shipped_orders_three_are_refused() {
        #[derive(Deserialize)]
        struct Day {
            orders: Vec<Order>,
        }
        let day: Day = serde_json::from_str(include_str!("../../../orders.json")).unwrap();
        let (priced, refused): (Vec<_>, Vec<_>) = day.orders.into_iter().map(price).partition(Result::is_ok);

        let refused: Vec<_> = refused.into_iter().filter_map(|order| order.err()?.extensions.remove("order")).collect();
        assert_eq!(priced.len(), 417);
        assert_eq!(refused, ["O-0017", "O-0204", "O-0372"]);
    }
}
