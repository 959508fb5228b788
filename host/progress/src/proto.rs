//! The protocol as Rust types, generated from `proto/hotcell/progress/v1/progress.proto`, which documents it.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    rustdoc::all,
    reason = "generated; the documentation stands in the .proto file"
)]

tonic::include_proto!("hotcell.progress.v1");

/// The compiled descriptors of the protocol and of what it imports, for reflection: an encoded
/// `google.protobuf.FileDescriptorSet`.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The metadata of a status that holds an encoded [`Refusal`].
pub const REFUSAL_METADATA: &str = "hotcell-refusal-bin";
