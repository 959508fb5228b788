//! Prices an order.

use hotcell::Problem;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Order {
    id: String,
    coupon: Option<String>,
    lines: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    sku: String,
    quantity: u32,
    cents: u32,
}

#[derive(Serialize)]
struct Receipt {
    order: String,
    lines: Vec<Priced>,
    subtotal: u64,
    discount: u64,
    total: u64,
}

#[derive(Serialize)]
struct Priced {
    sku: String,
    cents: u64,
}

#[hotcell::task]
fn price(order: Order) -> Result<Receipt, Problem> {
    if order.lines.is_empty() {
        return Err(Problem::new(format!("order {} has no lines", order.id))
            .status(422)
            .title("Order refused")
            .with("order", order.id));
    }
    hotcell::info(format_args!("{}: {} lines", order.id, order.lines.len()));
    let lines: Vec<Priced> = order
        .lines
        .into_iter()
        .map(|line| Priced { sku: line.sku, cents: u64::from(line.quantity) * u64::from(line.cents) })
        .collect();
    let subtotal = lines.iter().map(|line| line.cents).sum();
    let discount = if order.coupon.as_deref() == Some("TENTH") { subtotal / 10 } else { 0 };
    Ok(Receipt { order: order.id, lines, subtotal, discount, total: subtotal - discount })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coupon_takes_off_a_tenth() {
        let lines = vec![Line { sku: "A-1".into(), quantity: 2, cents: 1_999 }];
        let receipt = price(Order { id: "O-1".into(), coupon: Some("TENTH".into()), lines });
        assert!(receipt.is_ok_and(|receipt| receipt.total == 3_599));
    }

    #[test]
    fn an_order_without_lines_is_refused() {
        let refused = price(Order { id: "O-1".into(), coupon: None, lines: Vec::new() });
        assert_eq!(refused.err().and_then(|problem| problem.status), Some(422));
    }
}
