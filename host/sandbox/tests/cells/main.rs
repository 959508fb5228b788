//! What a task can do in a cell, and what it cannot.

mod attacks;
mod calls;
mod commands;
mod components;
mod functions;
mod guest;
mod host;
mod payloads;
mod recorder;
