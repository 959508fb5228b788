//! What a task can do in a cell, and what it cannot.

mod attacks;
mod calls;
mod components;
mod guest;
mod host;
mod payloads;
mod recorder;
