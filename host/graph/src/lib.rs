//! Draws a definition: as Mermaid, which renders in many places, and as SVG, which needs nothing.
//!
//! A workflow is structured: lists of tasks, lists inside tasks, and jumps within one list only. So a picture is a tree
//! (`picture`), made once from the definition, and both writers take it from there. The SVG's layout is as
//! recursive as the tree: tasks stand below each other, branches side by side, and jumps run in lanes beside their
//! list, so that no arrow crosses a box. Functions and extensions are drawn once, where they are needed first.
//!
//! Definitions come from tenants. Names and expressions are cut, and are escaped by both writers; of a definition with more than
//! [`MAX_DRAWN`] tasks, the picture says how many it leaves out. The crate does no I/O.

mod layout;
mod mermaid;
mod picture;
mod reused;
mod scene;
mod svg;
mod text;
mod words;

use hotcell_definition::Definition;

pub use picture::MAX_DRAWN;

/// A drawing, and how much of the definition is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawing {
    /// The text of the file.
    pub text: String,
    /// How many tasks are drawn.
    pub drawn: usize,
    /// How many are not, as there are too many.
    pub omitted: usize,
}

/// A definition as a flowchart of [Mermaid](https://mermaid.js.org).
pub fn mermaid(definition: &Definition) -> Drawing {
    let picture = picture::of(definition);
    Drawing { text: mermaid::write(&picture), drawn: picture.drawn, omitted: picture.omitted }
}

/// A definition as SVG, readable on light and dark backgrounds.
pub fn svg(definition: &Definition) -> Drawing {
    let picture = picture::of(definition);
    let scene = layout::scene(&picture);
    Drawing { text: svg::write(&scene, &picture.title), drawn: picture.drawn, omitted: picture.omitted }
}
