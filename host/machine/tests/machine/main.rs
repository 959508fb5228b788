//! Workflows in a simulated world: what the specification says of them, and what must hold whatever they are.

mod cases;
mod chance;
mod documents;
mod evaluator;
mod ledger;
mod matcher;
mod scale;
mod simulation;
mod whatever_happens;
