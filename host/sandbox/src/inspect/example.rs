//! An input that fits a function.

use serde_json::{Map, Value, json};
use wit_parser::{Function, Resolve, Type, TypeDefKind};

/// How many values an example has at most. What is beyond is `null`, and the example shows but a part.
const MAX_VALUES: usize = 200;

/// An input for the function, as `call: wasm` takes it: a record that is the only parameter is given itself.
pub(super) fn example(resolve: &Resolve, function: &Function) -> Value {
    let mut example = Example { resolve, left: MAX_VALUES };
    if let [only] = &function.params[..]
        && let Type::Id(id) = only.ty
        && is_record(resolve, id)
    {
        return example.of(&only.ty);
    }
    let arguments = function.params.iter().map(|parameter| (parameter.name.clone(), example.of(&parameter.ty)));
    Value::Object(arguments.collect())
}

fn is_record(resolve: &Resolve, id: wit_parser::TypeId) -> bool {
    match &resolve.types[id].kind {
        TypeDefKind::Record(_) => true,
        TypeDefKind::Type(Type::Id(id)) => is_record(resolve, *id),
        _ => false,
    }
}

struct Example<'a> {
    resolve: &'a Resolve,
    left: usize,
}

impl Example<'_> {
    /// A value of the type. Types are not recursive.
    fn of(&mut self, ty: &Type) -> Value {
        if self.left == 0 {
            return Value::Null;
        }
        self.left -= 1;
        match ty {
            Type::Bool => json!(true),
            Type::F32 | Type::F64 => json!(1.5),
            Type::Char => json!("a"),
            Type::String => json!("text"),
            Type::ErrorContext => Value::Null,
            Type::Id(id) => self.defined(*id),
            _ => json!(1),
        }
    }

    fn defined(&mut self, id: wit_parser::TypeId) -> Value {
        let resolve = self.resolve;
        let single = |name: &str, value: Value| Value::Object(Map::from_iter([(name.to_owned(), value)]));
        match &resolve.types[id].kind {
            TypeDefKind::Record(record) => {
                let mut members = Map::new();
                for field in &record.fields {
                    // The end of an example that is too large anyway.
                    if self.left == 0 {
                        break;
                    }
                    members.insert(field.name.clone(), self.of(&field.ty));
                }
                Value::Object(members)
            }
            TypeDefKind::Tuple(tuple) => tuple.types.iter().take(MAX_VALUES).map(|ty| self.of(ty)).collect(),
            TypeDefKind::Variant(variant) => match variant.cases.first() {
                Some(case) => match &case.ty {
                    Some(ty) => single(&case.name, self.of(ty)),
                    None => json!(case.name),
                },
                None => Value::Null,
            },
            TypeDefKind::Enum(ty) => ty.cases.first().map_or(Value::Null, |case| json!(case.name)),
            TypeDefKind::Flags(ty) => ty.flags.iter().take(2).map(|flag| json!(flag.name)).collect(),
            TypeDefKind::Option(ty) => match self.is_option(ty) {
                true => single("some", self.of(ty)),
                false => self.of(ty),
            },
            TypeDefKind::Result(result) => single("ok", result.ok.as_ref().map_or(Value::Null, |ty| self.of(ty))),
            TypeDefKind::List(Type::U8) => json!("aGVsbG8="),
            TypeDefKind::List(ty) => Value::Array(vec![self.of(ty)]),
            TypeDefKind::Type(ty) => self.of(ty),
            _ => Value::Null,
        }
    }

    fn is_option(&self, ty: &Type) -> bool {
        let Type::Id(id) = ty else { return false };
        match &self.resolve.types[*id].kind {
            TypeDefKind::Option(_) => true,
            TypeDefKind::Type(ty) => self.is_option(ty),
            _ => false,
        }
    }
}
