"""Prices an order."""

import logging
from dataclasses import dataclass
from typing import Optional

from hotcell import Problem, task


@dataclass
class Line:
    sku: str
    quantity: int
    cents: int


@dataclass
class Order:
    id: str
    lines: list[Line]
    coupon: Optional[str] = None


@dataclass
class Priced:
    sku: str
    cents: int


@dataclass
class Receipt:
    order: str
    lines: list[Priced]
    subtotal: int
    discount: int
    total: int


@task
def price(order: Order) -> Receipt:
    if not order.lines:
        raise Problem(f"order {order.id} has no lines", status=422, title="Order refused", order=order.id)
    logging.info("%s: %d lines", order.id, len(order.lines))
    lines = [Priced(line.sku, line.quantity * line.cents) for line in order.lines]
    subtotal = sum(line.cents for line in lines)
    discount = subtotal // 10 if order.coupon == "TENTH" else 0
    return Receipt(order.id, lines, subtotal, discount, subtotal - discount)
