"""Performs a task in a cell: between the contract (wit/task.wit) and the function that `@task` stands on.

What is imported when the component is built is part of a cell's memory when it begins, so that it costs a call nothing; a cell
has no files, and what is imported later is not there. So this imports what Python's own modules import only when they need it.
"""

import _strptime  # noqa: F401
import datetime
import encodings.ascii, encodings.idna, encodings.latin_1, encodings.utf_16  # noqa: E401, F401
import gc
import json
import logging
import random
import traceback
from typing import Any, Optional

from componentize_py_types import Err
from wit_world.imports import context as imports
from wit_world.imports.types import Problem as ContractProblem

from .convert import to_json
from .host import Context, Workflow, answered_by
from .problem import Problem
from .task import Prepared, the_task


class _Cell:
    """Asks hotcell."""

    def context(self) -> Context:
        call = imports.current()
        workflow = Workflow(call.workflow.namespace, call.workflow.name, call.workflow.version)
        deadline = datetime.datetime.fromtimestamp(call.deadline / 1_000, datetime.timezone.utc)
        return Context(
            call.task, call.reference, workflow, call.execution, call.attempt, call.idempotency_key, deadline
        )

    def report(self, fraction: Optional[float], message: Optional[str], data: Optional[str]) -> None:
        imports.report(fraction, message, data)

    def secret(self, name: str) -> str:
        try:
            return imports.secret(name)
        except Err as refused:
            told: Any = refused.value
            extensions = json.loads(told.extensions) if told.extensions else {}
            raise Problem(told.detail, type=told.kind, status=told.status, title=told.title, **extensions) from None


class _Lines(logging.Handler):
    """Log records become log lines with their level."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            imports.log(_level(record.levelno), self.format(record))
        except Exception:  # As logging has it: a line that cannot be written does not fail the program.
            self.handleError(record)


def _level(number: int) -> imports.Level:
    for at_least, level in _LEVELS:
        if number >= at_least:
            return level
    return imports.Level.TRACE


_LEVELS = [
    (logging.ERROR, imports.Level.ERROR),
    (logging.WARNING, imports.Level.WARN),
    (logging.INFO, imports.Level.INFO),
    (logging.DEBUG, imports.Level.DEBUG),
]


def _to_contract(problem: Problem) -> ContractProblem:
    extensions = None
    if problem.extensions:
        try:
            extensions = json.dumps(to_json(problem.extensions), ensure_ascii=False, allow_nan=False)
        except Exception as error:
            extensions = json.dumps({"extensions": f"these members cannot be told in JSON: {error}"})
    status = problem.status if isinstance(problem.status, int) and 0 <= problem.status < 1 << 16 else None
    return ContractProblem(problem.type, status, problem.title, problem.detail, extensions)


class Handler:
    """`handler` of the contract. The component's module makes one when the component is built."""

    # Made when the component is built: reading types costs more than a call.
    prepared: Prepared

    def run(self, input: str) -> str:
        # Without this, every cell would draw the numbers that were seeded when the component was built.
        random.seed()
        try:
            return self.prepared.perform(input)
        except BaseException as error:
            problem = Problem.of(error)
            if problem is not error and not isinstance(error, MemoryError):
                # It may be a mistake of the task: where it happened helps.
                imports.log(imports.Level.DEBUG, "".join(traceback.format_exception(error)))
            raise Err(_to_contract(problem)) from None


def begin() -> None:
    """Prepares everything that is the same for all calls, when the component is built and the task's module has been imported."""
    Handler.prepared = Prepared(the_task())
    answered_by(_Cell())
    logging.basicConfig(handlers=[_Lines()], level=logging.DEBUG, format="%(message)s", force=True)
    gc.collect()
    # Cells are short: what is there now is there until the end.
    gc.freeze()
