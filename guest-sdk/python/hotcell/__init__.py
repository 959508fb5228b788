"""Write hotcell tasks in Python: a task is a function on typed values.

    from dataclasses import dataclass
    from hotcell import Problem, task

    @dataclass
    class Order:
        sku: str
        quantity: int

    @dataclass
    class Priced:
        cents: int

    @task
    def price(order: Order) -> Priced:
        if order.quantity == 0:
            raise Problem("an order needs at least one piece", status=422, title="Order refused")
        return Priced(cents=1_999 * order.quantity)

`python -m hotcell task.py` makes a component of it. hotcell runs every call in a fresh cell: what a module remembers does not
survive from one call to the next, and nothing outside can be reached but what this package offers and what was granted.

- **Input and output** are dataclasses, TypedDicts, enums, lists, dicts and what else JSON has, nested as you like. An input that
  does not fit the annotation is refused for you, with the member at fault; without an annotation it comes as JSON was read.
- **Failing** is raising a `Problem`, which the workflow can catch by any of its members. Any other exception becomes one.
- **Logging** is `logging`, and `print`.
- **Telling and asking**: `report` for progress that people see live, `context` for what this call is, `secret`.
- **Testing**: the function stays a function. `hotcell.testing` decides what it finds on your machine.
"""

from .host import Context, Workflow, context, report, secret
from .problem import Problem, kind
from .task import task

__all__ = ["Context", "Problem", "Workflow", "context", "kind", "report", "secret", "task"]
