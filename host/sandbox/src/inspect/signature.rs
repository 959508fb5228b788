//! The type of a function, as WIT writes it, and whether JSON can be mapped to it.

use std::fmt::{self, Write};

use wit_parser::{Function, Handle, Resolve, Type, TypeDefKind};

/// How deep, and how many types are looked at: they can use each other so that there is no end in sight.
const MAX_DEPTH: usize = 100;
const MAX_TYPES: usize = 10_000;

/// `name: func(parameter: type) -> type`, of which at most so many bytes are shown. Types that have a name are shown by it.
pub(super) fn signature(resolve: &Resolve, function: &Function, length: usize) -> String {
    let mut text = Bounded { text: String::new(), length };
    match write_signature(&mut text, resolve, function) {
        Ok(()) => text.text,
        Err(fmt::Error) => format!("{}…", text.text),
    }
}

fn write_signature(text: &mut Bounded, resolve: &Resolve, function: &Function) -> fmt::Result {
    write!(text, "{}: func(", function.name)?;
    for (index, parameter) in function.params.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        write!(text, "{comma}{}: {}", parameter.name, Shown(resolve, &parameter.ty, 0))?;
    }
    text.write_str(")")?;
    match &function.result {
        Some(result) => write!(text, " -> {}", Shown(resolve, result, 0)),
        None => Ok(()),
    }
}

/// A text that ends writing once it is long: types that use another many times, which does the same, are long without end.
struct Bounded {
    text: String,
    length: usize,
}

impl Write for Bounded {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        let room = self.length - self.text.len();
        let fits = &piece[..piece.floor_char_boundary(room)];
        self.text.push_str(fits);
        if fits.len() == piece.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

struct Shown<'a>(&'a Resolve, &'a Type, usize);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shown(resolve, ty, depth) = *self;
        let Type::Id(id) = ty else { return f.write_str(primitive(ty)) };
        let definition = &resolve.types[*id];
        if let Some(name) = &definition.name {
            return f.write_str(name);
        }
        if depth == 10 {
            return f.write_str("…");
        }
        let inner = |ty| Shown(resolve, ty, depth + 1);
        match &definition.kind {
            TypeDefKind::Option(ty) => write!(f, "option<{}>", inner(ty)),
            TypeDefKind::List(ty) => write!(f, "list<{}>", inner(ty)),
            TypeDefKind::FixedLengthList(ty, length) => write!(f, "list<{}, {length}>", inner(ty)),
            TypeDefKind::Map(key, value) => write!(f, "map<{}, {}>", inner(key), inner(value)),
            TypeDefKind::Type(ty) => inner(ty).fmt(f),
            TypeDefKind::Handle(Handle::Own(id)) => inner(&Type::Id(*id)).fmt(f),
            TypeDefKind::Handle(Handle::Borrow(id)) => write!(f, "borrow<{}>", inner(&Type::Id(*id))),
            TypeDefKind::Tuple(tuple) => {
                f.write_str("tuple<")?;
                for (index, ty) in tuple.types.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{}", inner(ty))?;
                }
                f.write_str(">")
            }
            TypeDefKind::Result(result) => match (&result.ok, &result.err) {
                (None, None) => f.write_str("result"),
                (Some(ok), None) => write!(f, "result<{}>", inner(ok)),
                (None, Some(err)) => write!(f, "result<_, {}>", inner(err)),
                (Some(ok), Some(err)) => write!(f, "result<{}, {}>", inner(ok), inner(err)),
            },
            other => f.write_str(other.as_str()),
        }
    }
}

fn primitive(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "bool",
        Type::U8 => "u8",
        Type::U16 => "u16",
        Type::U32 => "u32",
        Type::U64 => "u64",
        Type::S8 => "s8",
        Type::S16 => "s16",
        Type::S32 => "s32",
        Type::S64 => "s64",
        Type::F32 => "f32",
        Type::F64 => "f64",
        Type::Char => "char",
        Type::String => "string",
        Type::ErrorContext => "error-context",
        Type::Id(_) => "type",
    }
}

/// Why JSON cannot be mapped to a function.
pub(super) struct Unfit {
    place: String,
    what: &'static str,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is or holds {}, which JSON cannot hold", self.place, self.what)
    }
}

impl Unfit {
    /// Looks at all types of a function.
    pub(super) fn of(resolve: &Resolve, function: &Function) -> Option<Self> {
        let mut left = MAX_TYPES;
        for parameter in &function.params {
            if let Some(what) = unfit(resolve, &parameter.ty, 0, &mut left) {
                return Some(Unfit { place: format!("its parameter `{}`", parameter.name), what });
            }
        }
        let what = unfit(resolve, function.result.as_ref()?, 0, &mut left)?;
        Some(Unfit { place: "its result".into(), what })
    }
}

fn unfit(resolve: &Resolve, ty: &Type, depth: usize, left: &mut usize) -> Option<&'static str> {
    let Type::Id(id) = ty else { return (*ty == Type::ErrorContext).then_some("an error context") };
    if depth == MAX_DEPTH || *left == 0 {
        return Some("more types than are looked at");
    }
    *left -= 1;
    let mut inner = |ty: &Type| unfit(resolve, ty, depth + 1, left);
    match &resolve.types[*id].kind {
        TypeDefKind::Record(record) => record.fields.iter().find_map(|field| inner(&field.ty)),
        TypeDefKind::Tuple(tuple) => tuple.types.iter().find_map(inner),
        TypeDefKind::Variant(variant) => variant.cases.iter().filter_map(|case| case.ty.as_ref()).find_map(inner),
        TypeDefKind::Result(result) => result.ok.iter().chain(&result.err).find_map(inner),
        TypeDefKind::Option(ty) | TypeDefKind::List(ty) | TypeDefKind::Type(ty) => inner(ty),
        TypeDefKind::Flags(_) | TypeDefKind::Enum(_) => None,
        TypeDefKind::Resource | TypeDefKind::Handle(_) => Some("a resource"),
        TypeDefKind::Future(_) => Some("a future"),
        TypeDefKind::Stream(_) => Some("a stream"),
        TypeDefKind::Map(..) => Some("a map"),
        TypeDefKind::FixedLengthList(..) => Some("a list of fixed length"),
        TypeDefKind::Unknown => Some("something unknown"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The signature of the only function of an interface.
    fn shown(wit: &str, length: usize) -> String {
        let mut resolve = Resolve::default();
        resolve.push_str("test.wit", wit).unwrap();
        let (_, interface) = resolve.interfaces.iter().next().unwrap();
        signature(&resolve, &interface.functions[0], length)
    }

    #[test]
    fn a_signature_reads_as_it_was_written() {
        let wit = "package a:b; interface i { record r { x: u8 } f: func(a: option<r>, b: list<tuple<u8, string>>) -> result<_, r>; }";
        assert_eq!(shown(wit, 1_000), "f: func(a: option<r>, b: list<tuple<u8, string>>) -> result<_, r>");
    }

    #[test]
    fn a_type_without_an_end_in_sight_is_cut() {
        let mut ty = "u8".to_owned();
        for _ in 0..9 {
            ty = format!("tuple<{ty}, {ty}, {ty}>");
        }
        let text = shown(&format!("package a:b; interface i {{ f: func(a: {ty}); }}"), 100);
        assert!(text.starts_with("f: func(a: tuple<tuple<") && text.ends_with('…') && text.len() <= 103, "{text}");
    }
}
