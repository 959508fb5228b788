"""The decorator that makes a function the task of its module."""

import inspect
import json
import typing
from typing import Any, Callable, Optional, TypeVar

from .convert import Misfit, from_json, to_json
from .problem import Problem

Function = TypeVar("Function", bound=Callable[..., Any])

_tasks: list[Callable[..., Any]] = []


def task(function: Function) -> Function:
    """Makes a function the task of its module. It takes the input, or nothing when it does not care, and returns the output.

    The function stays as it is, so that tests can call it. A program is one task.
    """
    if not inspect.isfunction(function):
        raise TypeError("@task stands on a function: `@task def price(order: Order) -> Priced`")
    if inspect.iscoroutinefunction(function):
        raise TypeError(f"@task: `{function.__name__}` is async; there is nothing to wait for in a cell, make it a plain `def`")
    required = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty and p.kind in _GIVEN]
    if len(required) > 1:
        raise TypeError(f"@task: `{function.__name__}` takes {len(required)} arguments; a task has one input, put them into a class")
    _tasks.append(function)
    return function


_GIVEN = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def the_task() -> Callable[..., Any]:
    """The one function that `@task` stands on."""
    if not _tasks:
        raise LookupError("the program has no task; put `@task` on the function that is one")
    if len(_tasks) > 1:
        names = ", ".join(function.__name__ for function in _tasks)
        raise LookupError(f"the program has {len(_tasks)} tasks ({names}); a component is one, put `@task` on one function")
    return _tasks[0]


class Prepared:
    """A task whose types have been read, which costs more than a call."""

    def __init__(self, function: Callable[..., Any]):
        self.function = function
        hints = typing.get_type_hints(function)
        parameter: Optional[inspect.Parameter] = next(
            (p for p in inspect.signature(function).parameters.values() if p.kind in _GIVEN), None
        )
        self.parameter = parameter
        self.type = hints.get(parameter.name, Any) if parameter else None

    def perform(self, text: str) -> str:
        """From a JSON text to a JSON text. Raises what the task raises."""
        if self.parameter is None:
            returned = self.function()
        else:
            given = self.read(text)
            if self.parameter.kind is inspect.Parameter.KEYWORD_ONLY:
                returned = self.function(**{self.parameter.name: given})
            else:
                returned = self.function(given)
        try:
            output = json.dumps(to_json(returned), ensure_ascii=False, allow_nan=False)
            output.encode()
        except (Misfit, TypeError, ValueError, RecursionError) as error:
            raise Problem(f"the task's output cannot be told in JSON: {error}", title="The output is not JSON") from error
        return output

    def read(self, text: str) -> Any:
        """The input as the task's type."""
        try:
            return from_json(json.loads(text), self.type)
        except (Misfit, json.JSONDecodeError, RecursionError) as error:
            raise Problem.validation(str(error), title="The input does not fit the task") from None
