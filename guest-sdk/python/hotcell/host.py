"""What a task can ask of hotcell, and tell: answered by hotcell in a cell, by `hotcell.testing` elsewhere."""

import datetime
import json
from dataclasses import dataclass
from typing import Any, Optional, Protocol

from .convert import to_json


@dataclass(frozen=True)
class Workflow:
    """The definition that a task belongs to."""

    namespace: str
    name: str
    version: str


@dataclass(frozen=True)
class Context:
    """What a call is."""

    task: str
    """The name of the task in the definition."""
    reference: str
    """Where the task stands: a JSON Pointer, `/do/0/price`."""
    workflow: Workflow
    """The definition that the task belongs to."""
    execution: str
    """The id of the execution."""
    attempt: int
    """Which attempt this is, from 1."""
    idempotency_key: str
    """The same for every repetition of this very call after a crash of the host, and for no other call: give it to services
    that accept one, so that nothing is done twice."""
    deadline: datetime.datetime
    """When the call will be interrupted."""


class Host(Protocol):
    """Who answers."""

    def context(self) -> Context: ...
    def report(self, fraction: Optional[float], message: Optional[str], data: Optional[str]) -> None: ...
    def secret(self, name: str) -> str: ...


_host: Optional[Host] = None


def answered_by(host: Optional[Host]) -> Optional[Host]:
    """Sets who answers from now on, and returns who did so far."""
    global _host
    before, _host = _host, host
    return before


def _current() -> Host:
    if _host is None:
        raise RuntimeError("this is no call; in tests, make one up: `with hotcell.testing.call(): ...`")
    return _host


def context() -> Context:
    """What this call is."""
    return _current().context()


def report(fraction: Optional[float] = None, message: Optional[str] = None, data: Any = None) -> None:
    """Tells how far the task has come, which whoever watches sees at once.

    `fraction` is from 0 to 1, values outside are clamped; `message` is for people; `data` is anything else, for programs.
    """
    told = None if data is None else json.dumps(to_json(data), ensure_ascii=False, allow_nan=False)
    _current().report(None if fraction is None else float(fraction), None if message is None else str(message), told)


def secret(name: str) -> str:
    """The value of a secret that the workflow and the operator grant to this task.

    Raises a `Problem` of `kind.AUTHORIZATION`, status 403, for one that was not granted or does not exist; the two cannot be told
    apart.
    """
    return _current().secret(name)
