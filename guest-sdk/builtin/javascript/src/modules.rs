//! What `import` finds: the modules of the prelude. There are no files in a cell.

use rquickjs::loader::{ImportAttributes, Loader, Resolver};
use rquickjs::module::Declared;
use rquickjs::{Ctx, Error, Module, Result};

/// The modules that there are, with what they export by name.
const MODULES: [(&str, &[&str]); 3] = [
    ("node:fs", &["readFileSync", "writeFileSync", "appendFileSync", "writeSync", "existsSync", "promises"]),
    ("node:fs/promises", &["readFile", "writeFile"]),
    ("node:process", &["argv", "env", "exit", "stdin", "stdout", "stderr", "platform", "cwd", "nextTick", "hrtime"]),
];

/// Finds the modules, with or without `node:`.
pub(crate) struct Modules;

impl Resolver for Modules {
    fn resolve<'js>(
        &mut self,
        _: &Ctx<'js>,
        base: &str,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> Result<String> {
        let found = MODULES.iter().find(|(known, _)| *known == name || known.strip_prefix("node:") == Some(name));
        match found {
            Some((known, _)) => Ok((*known).to_owned()),
            None => Err(Error::new_resolving_message(
                base,
                name,
                "there are no files in a cell; there are node:fs (for the standard streams) and node:process",
            )),
        }
    }
}

impl Loader for Modules {
    fn load<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> Result<Module<'js, Declared>> {
        let Some((_, exports)) = MODULES.iter().find(|(known, _)| *known == name) else {
            return Err(Error::new_loading(name));
        };
        let mut source = format!("const found = require('{name}'); export default found;\n");
        source.extend(exports.iter().map(|export| format!("export const {export} = found.{export};\n")));
        Module::declare(ctx.clone(), name, source)
    }
}
