//! Policies as operators and tenants see them: through the command.

mod explaining;
#[allow(dead_code)]
#[path = "../../../sandbox/tests/cells/guest.rs"]
mod guest;
mod limits;
mod reaching;
mod rig;
