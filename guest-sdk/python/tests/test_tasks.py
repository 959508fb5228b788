"""The SDK, as far as it needs no cell: python -m unittest discover -s tests"""

import enum
import json
import unittest
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal, NotRequired, Optional, TypedDict

import hotcell.testing
from hotcell import Problem, context, kind, report, secret
from hotcell.task import Prepared


class Region(enum.Enum):
    EU = "EU"
    UK = "UK"


@dataclass
class Line:
    sku: str
    quantity: int


@dataclass
class Order:
    id: str
    lines: list[Line]
    region: Region = Region.EU
    coupon: Optional[str] = None
    placed: Optional[datetime] = None
    weights: dict[str, float] = field(default_factory=dict)
    currency: Literal["EUR", "GBP"] = "EUR"


class Receipt(TypedDict):
    id: str
    total: int
    note: NotRequired[str]


def refusal(function, value) -> Problem:
    try:
        Prepared(function).perform(json.dumps(value))
    except Problem as problem:
        return problem
    raise AssertionError("it was not refused")


class Tasks(unittest.TestCase):
    def test_the_input_becomes_the_annotated_type_and_the_output_becomes_json(self):
        def price(order: Order) -> Receipt:
            assert order.region is Region.UK and order.placed is not None and order.placed.year == 2026
            assert type(order.weights["A-1"]) is float
            return {"id": order.id, "total": sum(line.quantity for line in order.lines)}

        given = {
            "id": "O-1",
            "lines": [{"sku": "A-1", "quantity": 2, "ignored": True}, {"sku": "B-1", "quantity": 3.0}],
            "region": "UK",
            "placed": "2026-01-31T12:00:00Z",
            "weights": {"A-1": 1},
        }
        self.assertEqual(json.loads(Prepared(price).perform(json.dumps(given))), {"id": "O-1", "total": 5})

    def test_what_does_not_fit_is_refused_with_its_path(self):
        def price(order: Order) -> None: ...

        cases = [
            ({}, "the member `id` is missing"),
            ({"id": "O-1", "lines": [{"sku": "A-1", "quantity": "two"}]}, "`lines[0].quantity`: expected an integer, found the string 'two'"),
            ({"id": "O-1", "lines": [{"sku": "A-1", "quantity": True}]}, "`lines[0].quantity`: expected an integer, found true"),
            ({"id": "O-1", "lines": [], "region": "FR"}, "`region`: expected one of 'EU', 'UK', found the string 'FR'"),
            ({"id": "O-1", "lines": [], "coupon": 7}, "`coupon`: expected a string, found the number 7"),
            ({"id": "O-1", "lines": [], "currency": "USD"}, "`currency`: expected 'EUR' or 'GBP', found the string 'USD'"),
            ([], "expected an object, found a list"),
        ]
        for given, detail in cases:
            problem = refusal(price, given)
            self.assertEqual((problem.type, problem.status, problem.detail), (kind.VALIDATION, 400, detail))

    def test_without_an_annotation_the_input_comes_as_it_is(self):
        self.assertEqual(Prepared(lambda anything: anything["a"]).perform('{"a": [1, null]}'), "[1, null]")
        self.assertEqual(Prepared(lambda: "nothing asked").perform("{}"), '"nothing asked"')

    def test_what_json_does_not_have_is_a_problem(self):
        for output in (float("nan"), {1: 2}, object(), "\ud800"):
            problem = refusal(lambda: output, {})
            self.assertEqual(problem.title, "The output is not JSON")

    def test_decimals_and_dates_are_told_as_texts(self):
        self.assertEqual(Prepared(lambda: {"price": Decimal("19.90")}).perform("{}"), '{"price": "19.90"}')

    def test_an_exception_becomes_a_problem_that_tells_its_causes(self):
        error = ValueError("the quantity cannot be read")
        error.__cause__ = KeyError("sku")
        self.assertEqual(Problem.of(error).detail, "ValueError: the quantity cannot be read: KeyError: 'sku'")
        self.assertEqual(Problem.of(MemoryError()).title, "Memory limit")

    def test_a_task_that_cannot_be_one_is_refused_where_it_stands(self):
        async def later(order): ...

        def two(order, more): ...

        for function, words in ((later, "async"), (two, "2 arguments")):
            with self.assertRaisesRegex(TypeError, words):
                hotcell.task(function)

    def test_a_test_decides_what_a_task_finds(self):
        with hotcell.testing.call(attempt=3, secrets={"provider": "s3cret"}) as call:
            report(0.5, "half of it", {"done": 1})
            self.assertEqual((context().attempt, secret("provider")), (3, "s3cret"))
            with self.assertRaises(Problem) as refused:
                secret("other")
            self.assertEqual(refused.exception.status, 403)
        self.assertEqual(call.reports, [hotcell.testing.Report(0.5, "half of it", {"done": 1})])
        with self.assertRaisesRegex(RuntimeError, "made? one up|make one up"):
            context()


if __name__ == "__main__":
    unittest.main()
