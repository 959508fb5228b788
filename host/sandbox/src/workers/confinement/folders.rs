//! No file, no folder, no port: a Landlock domain in which nothing is allowed.

use landlock::{ABI, Access, AccessFs, AccessNet, Compatible, Ruleset, RulesetAttr, RulesetStatus, Scope};

/// The newest version of Landlock whose rights are known here. Older kernels enforce those that they know.
const NEWEST: ABI = ABI::V6;

pub(super) fn deny_all() -> Result<(), String> {
    let restrict = || {
        Ruleset::default()
            .set_compatibility(landlock::CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(NEWEST))?
            .handle_access(AccessNet::from_all(NEWEST))?
            .scope(Scope::from_all(NEWEST))?
            .create()?
            .restrict_self()
    };
    match restrict() {
        Ok(status) => match status.ruleset {
            RulesetStatus::FullyEnforced => Ok(()),
            RulesetStatus::PartiallyEnforced => {
                Err("this kernel has only a part of it; use Linux 6.12 or later for all".into())
            }
            RulesetStatus::NotEnforced => {
                Err("this kernel has none; use one with CONFIG_SECURITY_LANDLOCK and landlock in its `lsm=` list"
                    .into())
            }
        },
        Err(error) => Err(format!("{error}")),
    }
}
