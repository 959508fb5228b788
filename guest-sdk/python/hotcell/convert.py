"""Between JSON and annotated types.

Members that a type does not know are ignored; those that it needs and that are missing, or do not fit, are a `Misfit` that
names the path.
"""

import collections.abc
import dataclasses
import datetime
import decimal
import enum
import types
import typing
from typing import Any


class Misfit(Exception):
    """A value does not fit a type."""

    def __init__(self, reason: str, path: str = ""):
        super().__init__(reason)
        self.reason = reason
        self.path = path

    def inside(self, step: str) -> "Misfit":
        """The same, seen from the value around it."""
        separator = "" if not self.path or self.path.startswith("[") else "."
        return Misfit(self.reason, f"{step}{separator}{self.path}")

    def __str__(self) -> str:
        return f"`{self.path}`: {self.reason}" if self.path else self.reason


def from_json(value: Any, wanted: Any) -> Any:
    """A value that was read from JSON, as an annotated type."""
    if wanted in (Any, object):
        return value
    if wanted in (None, type(None)):
        return _exactly(value, type(None), "null")
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin is typing.Annotated or origin in (typing.Required, typing.NotRequired):
        return from_json(value, arguments[0])
    if origin in (typing.Union, types.UnionType):
        return _one_of(value, arguments)
    if origin is typing.Literal:
        if any(value == choice and type(value) is type(choice) for choice in arguments):
            return value
        raise Misfit(f"expected {' or '.join(map(repr, arguments))}, found {_described(value)}")
    if isinstance(wanted, typing.NewType):
        return from_json(value, wanted.__supertype__)
    if wanted in _SCALARS:
        return _SCALARS[wanted](value)
    shape = origin or wanted
    if shape in (list, collections.abc.Sequence, collections.abc.Iterable, collections.abc.Collection):
        return _list(value, arguments[0] if arguments else Any)
    if shape in (set, frozenset):
        return shape(_list(value, arguments[0] if arguments else Any))
    if shape is tuple:
        return _tuple(value, arguments)
    if shape in (dict, collections.abc.Mapping, collections.abc.MutableMapping):
        return _dict(value, arguments[1] if arguments else Any)
    if typing.is_typeddict(shape):
        return _typed_dict(value, shape)
    if dataclasses.is_dataclass(shape):
        return _dataclass(value, shape)
    if isinstance(shape, type) and issubclass(shape, enum.Enum):
        return _enum(value, shape)
    raise Misfit(f"the annotation {wanted!r} is not one that JSON can be read as; use a dataclass or a TypedDict")


def to_json(value: Any) -> Any:
    """A value as `json.dumps` takes it."""
    # Of an enum that is a string or a number, too, the value.
    if isinstance(value, enum.Enum):
        return to_json(value.value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, collections.abc.Mapping):
        for key in value:
            if not isinstance(key, str):
                raise Misfit(f"keys are strings in JSON, and {key!r} is not one")
        return {key: to_json(member) for key, member in value.items()}
    if isinstance(value, (list, tuple, set, frozenset, collections.abc.Generator)):
        return [to_json(item) for item in value]
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return str(value)
    raise Misfit(f"{type(value).__name__} is nothing that JSON has; return a dataclass, or a dict")


def _described(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the string {value[:40]!r}"
    if isinstance(value, (int, float)):
        return f"the number {str(value)[:40]}"
    return "a list" if isinstance(value, list) else "an object"


def _exactly(value: Any, kind: type, name: str) -> Any:
    # bool is a subclass of int in Python; in JSON it is no number.
    if type(value) is kind:
        return value
    raise Misfit(f"expected {name}, found {_described(value)}")


def _integer(value: Any) -> int:
    if type(value) is float and value.is_integer():
        return int(value)
    return _exactly(value, int, "an integer")


def _number(value: Any) -> float:
    if type(value) is int:
        return float(value)
    return _exactly(value, float, "a number")


def _parsed(parse: Any, example: str) -> Any:
    def read(value: Any) -> Any:
        try:
            return parse(_exactly(value, str, f"a text such as {example!r}"))
        except (ValueError, ArithmeticError):
            raise Misfit(f"expected a text such as {example!r}, found {_described(value)}") from None

    return read


def _decimal(value: Any) -> decimal.Decimal:
    if type(value) in (int, float):
        return decimal.Decimal(str(value))
    return _parsed(decimal.Decimal, "19.99")(value)


_SCALARS: dict[Any, Any] = {
    str: lambda value: _exactly(value, str, "a string"),
    bool: lambda value: _exactly(value, bool, "true or false"),
    int: _integer,
    float: _number,
    decimal.Decimal: _decimal,
    datetime.datetime: _parsed(datetime.datetime.fromisoformat, "2026-01-31T12:00:00Z"),
    datetime.date: _parsed(datetime.date.fromisoformat, "2026-01-31"),
    datetime.time: _parsed(datetime.time.fromisoformat, "12:00:00"),
}


def _one_of(value: Any, choices: tuple[Any, ...]) -> Any:
    refused: list[Misfit] = []
    for choice in choices:
        try:
            return from_json(value, choice)
        except Misfit as misfit:
            refused.append(misfit)
    # What went deepest came closest: of `Order | None`, whoever gives an object means the order.
    raise max(refused, key=lambda misfit: len(misfit.path))


def _within(step: str, value: Any, wanted: Any) -> Any:
    try:
        return from_json(value, wanted)
    except Misfit as misfit:
        raise misfit.inside(step) from None


def _list(value: Any, item: Any) -> list[Any]:
    return [_within(f"[{place}]", each, item) for place, each in enumerate(_exactly(value, list, "a list"))]


def _tuple(value: Any, items: tuple[Any, ...]) -> tuple[Any, ...]:
    if not items or (len(items) == 2 and items[1] is Ellipsis):
        return tuple(_list(value, items[0] if items else Any))
    if len(_exactly(value, list, "a list")) != len(items):
        raise Misfit(f"expected a list of {len(items)}, found one of {len(value)}")
    return tuple(_within(f"[{place}]", each, item) for place, (each, item) in enumerate(zip(value, items)))


def _dict(value: Any, member: Any) -> dict[str, Any]:
    return {key: _within(key, each, member) for key, each in _exactly(value, dict, "an object").items()}


def _typed_dict(value: Any, shape: Any) -> dict[str, Any]:
    members = _exactly(value, dict, "an object")
    hints = typing.get_type_hints(shape, include_extras=True)
    for name in sorted(shape.__required_keys__):
        if name not in members:
            raise Misfit(f"the member `{name}` is missing")
    return {name: _within(name, members[name], hint) for name, hint in hints.items() if name in members}


def _dataclass(value: Any, shape: Any) -> Any:
    members = _exactly(value, dict, "an object")
    hints = typing.get_type_hints(shape, include_extras=True)
    given = {}
    for field in dataclasses.fields(shape):
        if not field.init:
            continue
        if field.name in members:
            given[field.name] = _within(field.name, members[field.name], hints[field.name])
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise Misfit(f"the member `{field.name}` is missing")
    try:
        return shape(**given)
    except ValueError as error:
        # What `__post_init__` refuses.
        raise Misfit(str(error)) from error


def _enum(value: Any, shape: Any) -> Any:
    for member in shape:
        if member.value == value and type(member.value) is type(value):
            return member
    choices = ", ".join(repr(member.value) for member in shape)
    raise Misfit(f"expected one of {choices}, found {_described(value)}")
