//! The price list.

use serde::{Deserialize, Serialize};

use crate::packing::Pack;

/// What the shop sells.
pub(crate) struct Product {
    sku: &'static str,
    /// What a piece weighs.
    pub(crate) grams: u64,
    /// How it is sold, a single piece first.
    pub(crate) packs: &'static [Pack],
}

const fn pack(pieces: u32, cents: u64) -> Pack {
    Pack { pieces, cents }
}

const PRODUCTS: [Product; 12] = [
    Product {
        sku: "PAPER-A4",
        grams: 5,
        packs: &[pack(1, 2), pack(500, 549), pack(2_500, 2_390), pack(20_000, 16_900)],
    },
    Product { sku: "PAPER-A3", grams: 10, packs: &[pack(1, 4), pack(500, 1_149), pack(2_500, 4_990)] },
    Product { sku: "PEN-BLUE", grams: 9, packs: &[pack(1, 79), pack(10, 649), pack(50, 2_790), pack(600, 26_900)] },
    Product { sku: "PEN-GREEN", grams: 9, packs: &[pack(1, 89), pack(10, 749), pack(50, 3_190)] },
    Product { sku: "MARKER-SET", grams: 74, packs: &[pack(1, 599), pack(12, 5_990), pack(96, 39_900)] },
    Product { sku: "STAPLER", grams: 310, packs: &[pack(1, 899), pack(20, 14_900)] },
    Product { sku: "STAPLES", grams: 1, packs: &[pack(1, 1), pack(1_000, 199), pack(20_000, 2_990)] },
    Product {
        sku: "FOLDER",
        grams: 48,
        packs: &[pack(1, 99), pack(25, 1_990), pack(200, 12_900), pack(3_000, 159_000)],
    },
    Product {
        sku: "ENVELOPE-C5",
        grams: 6,
        packs: &[pack(1, 6), pack(100, 449), pack(1_000, 3_490), pack(12_000, 33_900)],
    },
    Product { sku: "NOTEBOOK", grams: 180, packs: &[pack(1, 349), pack(10, 2_990), pack(120, 29_900)] },
    Product { sku: "CHAIR", grams: 14_500, packs: &[pack(1, 18_900), pack(6, 99_900), pack(24, 369_000)] },
    Product { sku: "DESK-LAMP", grams: 1_450, packs: &[pack(1, 3_990), pack(8, 27_900), pack(64, 199_000)] },
];

impl Product {
    /// The price of a single piece, in hundredths of a euro.
    pub(crate) fn piece_cents(&self) -> u64 {
        self.packs[0].cents
    }
}

/// The product of that number.
pub(crate) fn product(sku: &str) -> Option<&'static Product> {
    PRODUCTS.iter().find(|product| product.sku == sku)
}

/// How much percent a coupon takes off an order of so many hundredths of a euro.
pub(crate) fn coupon(code: &str, cents: u64) -> Option<u64> {
    match code {
        "SPRING5" => Some(5),
        // Small orders are priced without it rather than refused.
        "BULK10" => Some(if cents >= 50_000 { 10 } else { 0 }),
        _ => None,
    }
}

/// What an order is paid in.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Currency {
    Eur,
    Gbp,
    Usd,
    Jpy,
}

impl Currency {
    /// Hundredths of a euro, in hundredths of this currency, at today's rate. Yen have no hundredths; whole yen come out.
    pub(crate) fn exchange(self, cents: u64) -> u64 {
        match self {
            Self::Eur => cents,
            Self::Gbp => cents * 86 / 100,
            Self::Usd => cents * 114 / 100,
            Self::Jpy => cents * 163 / 100 * 100,
        }
    }
}
