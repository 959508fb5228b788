//! The cheapest way to fill a line.

/// What can be bought at once: so many pieces for so many hundredths of a euro.
#[derive(Clone, Copy)]
pub(crate) struct Pack {
    pub(crate) pieces: u32,
    pub(crate) cents: u64,
}

/// What a line comes to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Packing {
    pub(crate) cents: u64,
    /// How many pieces there are in the packs: at least what was ordered, as a pallet can be cheaper than its pieces.
    pub(crate) pieces: u64,
}

/// The cheapest packs that hold at least `quantity` pieces; among equally cheap ones, those with the fewest pieces.
///
/// The cheapest way to reach a quantity is a pack more than the cheapest way to reach the rest, hence one step for each
/// piece and pack: 50,000 pieces take about a millisecond.
pub(crate) fn cheapest(quantity: u32, packs: &[Pack]) -> Packing {
    let quantity = quantity as usize;
    // (cents, pieces) for each quantity up to the one that was ordered.
    let mut best: Vec<(u64, u64)> = Vec::with_capacity(quantity + 1);
    best.push((0, 0));
    for wanted in 1..=quantity {
        let candidates = packs.iter().map(|pack| {
            let (cents, pieces) = best[wanted.saturating_sub(pack.pieces as usize)];
            (cents + pack.cents, pieces + u64::from(pack.pieces))
        });
        best.push(candidates.min().expect("every product is sold in at least one pack"));
    }
    let (cents, pieces) = best[quantity];
    Packing { cents, pieces }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKS: [Pack; 3] =
        [Pack { pieces: 1, cents: 10 }, Pack { pieces: 6, cents: 50 }, Pack { pieces: 24, cents: 150 }];

    #[test]
    fn pieces_fill_what_packs_leave() {
        assert_eq!(cheapest(8, &PACKS), Packing { cents: 70, pieces: 8 });
    }

    #[test]
    fn a_larger_pack_is_taken_when_it_is_cheaper_than_the_pieces() {
        assert_eq!(cheapest(23, &PACKS), Packing { cents: 150, pieces: 24 });
        assert_eq!(cheapest(5, &PACKS), Packing { cents: 50, pieces: 5 });
    }
}
