"""Makes up calls for tests, which run on your machine.

    def test_the_third_attempt_succeeds():
        with hotcell.testing.call(attempt=3, secrets={"provider": "s3cret"}) as call:
            assert charge(amounts).charged == 3
        assert call.reports[-1].message == "done"
"""

import contextlib
import datetime
import json
from dataclasses import dataclass, field, replace
from typing import Any, Iterator, Mapping, Optional

from .host import Context, Workflow, answered_by
from .problem import Problem, kind


@dataclass(frozen=True)
class Report:
    """What a task reported."""

    fraction: Optional[float]
    message: Optional[str]
    data: Any


@dataclass
class Call:
    """A made-up call, and what was told in it."""

    _context: Context
    _secrets: Mapping[str, str]
    reports: list[Report] = field(default_factory=list)

    def context(self) -> Context:
        return self._context

    def report(self, fraction: Optional[float], message: Optional[str], data: Optional[str]) -> None:
        self.reports.append(Report(fraction, message, None if data is None else json.loads(data)))

    def secret(self, name: str) -> str:
        if name in self._secrets:
            return self._secrets[name]
        detail = f"the secret {name!r} is not granted to this task"
        raise Problem(detail, type=kind.AUTHORIZATION, status=403, title="Secret not granted")


@contextlib.contextmanager
def call(*, secrets: Optional[Mapping[str, str]] = None, **given: Any) -> Iterator[Call]:
    """A call whose context has these members, and to which these secrets are granted."""
    deadline = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=1)
    context = Context("test", "/do/0/test", Workflow("test", "test", "0.0.0"), "test", 1, "test", deadline)
    made_up = Call(replace(context, **given), secrets or {})
    before = answered_by(made_up)
    try:
        yield made_up
    finally:
        answered_by(before)
