//! What jaq asks of values: to look into them, and to change what is inside (`|=`, `=`, `del`).

use std::rc::Rc;

use indexmap::map::Entry;
use jaq_core::box_iter::{BoxIter, box_once};
use jaq_core::path::Opt;
use jaq_core::val::Range;
use jaq_core::{Error, Exn, ValR, ValX};

use super::access::{slice, slice_of_text};
use super::{Map, Number, Value, failed};

/// The largest index that a missing item may be written at. jq's own bound; what lies between becomes null.
const MAX_INDEX: i64 = 536_870_911;

fn unshared<T: Clone>(shared: Rc<T>) -> T {
    Rc::unwrap_or_clone(shared)
}

fn not_iterable(value: &Value) -> Error<Value> {
    Error::str(format_args!("Cannot iterate over {}", value.described()))
}

impl jaq_core::ValT for Value {
    fn from_num(text: &str) -> ValR<Self> {
        match Number::parse(text) {
            Some(number) => Ok(Value::Number(number)),
            None => failed(format_args!("{text:?} is not a number")),
        }
    }

    fn from_map<I: IntoIterator<Item = (Self, Self)>>(members: I) -> ValR<Self> {
        let members = members.into_iter().map(|(name, value)| match name {
            Value::String(name) => Ok((name, value)),
            other => failed(format_args!("Object keys must be strings, not {}", other.described())),
        });
        Ok(Value::object(members.collect::<Result<Map, _>>()?))
    }

    fn key_values(self) -> BoxIter<'static, ValR<(Self, Self), Self>> {
        match self {
            Value::Array(items) => {
                Box::new(unshared(items).into_iter().enumerate().map(|(at, item)| Ok((Value::from(at), item))))
            }
            Value::Object(members) => {
                Box::new(unshared(members).into_iter().map(|(name, value)| Ok((Value::String(name), value))))
            }
            other => box_once(Err(not_iterable(&other))),
        }
    }

    fn values(self) -> Box<dyn Iterator<Item = ValR<Self>>> {
        match self {
            Value::Array(items) => Box::new(unshared(items).into_iter().map(Ok)),
            Value::Object(members) => Box::new(unshared(members).into_values().map(Ok)),
            other => box_once(Err(not_iterable(&other))),
        }
    }

    fn index(self, index: &Self) -> ValR<Self> {
        self.get(index).map(Option::unwrap_or_default)
    }

    fn range(self, range: Range<&Self>) -> ValR<Self> {
        self.part(range)
    }

    fn map_values<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        opt: Opt,
        update: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        match self {
            Value::Array(items) => {
                let items = unshared(items).into_iter().filter_map(|item| update(item).next());
                Ok(Value::array(items.collect::<Result<_, _>>()?))
            }
            Value::Object(members) => {
                let members = unshared(members).into_iter();
                let members =
                    members.filter_map(|(name, value)| Some(update(value).next()?.map(|value| (name, value))));
                Ok(Value::object(members.collect::<Result<_, Exn<'_, _>>>()?))
            }
            other => opt.fail(other, |other| not_iterable(&other).into()),
        }
    }

    fn map_index<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        index: &Self,
        opt: Opt,
        update: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        match (self, index) {
            (Value::Null, Value::String(name)) => match update(Value::Null).next().transpose()? {
                Some(value) => Ok(Value::object([(Rc::clone(name), value)].into_iter().collect())),
                None => Ok(Value::Null),
            },
            (Value::Object(mut members), Value::String(name)) => {
                update_member(Rc::make_mut(&mut members), name, update)?;
                Ok(Value::Object(members))
            }
            (Value::Null, Value::Number(at)) => match update(Value::Null).next().transpose()? {
                Some(value) => {
                    let mut items = Vec::new();
                    extend_to(&mut items, at.truncated()).map_err(Exn::from)?.clone_from(&value);
                    Ok(Value::array(items))
                }
                None => Ok(Value::Null),
            },
            (Value::Array(mut items), Value::Number(at)) => {
                update_item(Rc::make_mut(&mut items), *at, update)?;
                Ok(Value::Array(items))
            }
            (container @ (Value::Null | Value::Array(_) | Value::String(_)), Value::Object(bounds)) => {
                let bound = |name: &str| bounds.get(&name.to_owned());
                container.map_range(bound("start")..bound("end"), opt, update)
            }
            (container, key) => opt.fail(container, |container| match container.get(key) {
                Err(error) => error.into(),
                Ok(_) => {
                    Error::str(format_args!("Cannot update {} of {}", key.described(), container.type_name())).into()
                }
            }),
        }
    }

    fn map_range<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        range: Range<&Self>,
        opt: Opt,
        update: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        match self {
            Value::Null => match update(Value::Null).next().transpose()? {
                None | Some(Value::Null) => Ok(Value::Null),
                Some(items @ Value::Array(_)) => Ok(items),
                Some(other) => Err(slice_needs("array", &other)),
            },
            Value::Array(mut items) => {
                let (start, length) = slice(range, items.len())?;
                let part = Value::array(items[start..start + length].to_vec());
                let new = match update(part).next().transpose()? {
                    None => Vec::new(),
                    Some(Value::Array(new)) => unshared(new),
                    Some(other) => return Err(slice_needs("array", &other)),
                };
                Rc::make_mut(&mut items).splice(start..start + length, new);
                Ok(Value::Array(items))
            }
            Value::String(mut text) => {
                let (start, end) = slice_of_text(range, &text)?;
                let new = match update(Value::text(&text[start..end])).next().transpose()? {
                    None => Rc::default(),
                    Some(Value::String(new)) => new,
                    Some(other) => return Err(slice_needs("string", &other)),
                };
                Rc::make_mut(&mut text).replace_range(start..end, &new);
                Ok(Value::String(text))
            }
            other => opt
                .fail(other, |other| Error::str(format_args!("Cannot update a slice of {}", other.described())).into()),
        }
    }

    fn as_bool(&self) -> bool {
        !matches!(self, Value::Null | Value::Bool(false))
    }

    fn into_string(self) -> Self {
        match self {
            Value::String(_) => self,
            other => Value::text(crate::json::to_text(&other)),
        }
    }
}

fn slice_needs<'a>(what: &str, value: &Value) -> Exn<'a, Value> {
    Error::str(format_args!("A slice of an {what} can only be assigned another {what}, not {}", value.described()))
        .into()
}

/// Updates, adds or removes a member. The others keep their order.
fn update_member<'a, I: Iterator<Item = ValX<'a, Value>>>(
    members: &mut Map,
    name: &Rc<String>,
    update: impl Fn(Value) -> I,
) -> Result<(), Exn<'a, Value>> {
    match members.entry(Rc::clone(name)) {
        Entry::Occupied(mut member) => match update(std::mem::take(member.get_mut())).next().transpose()? {
            Some(value) => *member.get_mut() = value,
            None => {
                member.shift_remove();
            }
        },
        Entry::Vacant(place) => {
            if let Some(value) = update(Value::Null).next().transpose()? {
                place.insert(value);
            }
        }
    }
    Ok(())
}

/// Updates, adds or removes an item.
fn update_item<'a, I: Iterator<Item = ValX<'a, Value>>>(
    items: &mut Vec<Value>,
    index: Number,
    update: impl Fn(Value) -> I,
) -> Result<(), Exn<'a, Value>> {
    if let Some(at) = super::position(index, items.len()) {
        match update(std::mem::take(&mut items[at])).next().transpose()? {
            Some(value) => items[at] = value,
            None => {
                items.remove(at);
            }
        }
        return Ok(());
    }
    if let Some(value) = update(Value::Null).next().transpose()? {
        *extend_to(items, index.truncated())? = value;
    }
    Ok(())
}

/// The place beyond the end of an array, with null up to it.
fn extend_to(items: &mut Vec<Value>, index: i64) -> ValR<&mut Value, Value> {
    if index < 0 {
        return failed("Out of bounds negative array index");
    }
    if index > MAX_INDEX {
        return failed("Array index too large");
    }
    let at = index as usize;
    items.resize(at + 1, Value::Null);
    Ok(&mut items[at])
}
