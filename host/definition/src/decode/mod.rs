//! From the tree to the types of the model, one file for each chapter of the reference.
//!
//! Each function reads one table of properties. Where the reference's prose shows a form that its schema refuses, the
//! form is read, and a warning names the standard one; where the prose says of a field that it is ignored, so it is, with a
//! warning. Recursion is as deep as the tree, which is bounded.

mod authentication;
mod call;
mod control;
mod cron;
mod data;
mod document;
mod duration;
mod events;
mod fault;
mod flow;
mod names;
mod resource;
mod run;
mod services;
mod task;

pub(crate) use document::definition;
pub(crate) use task::function;
