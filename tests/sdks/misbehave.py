"""Does what it should not: `{"crime": "memory" | "spin" | "log"}`."""

import logging
from typing import Literal, TypedDict

from hotcell import task


class Plan(TypedDict):
    crime: Literal["memory", "spin", "log"]


@task
def misbehave(plan: Plan) -> str:
    kept = []
    while plan["crime"] == "memory":
        kept.append("x" * 10_000 + str(len(kept)))
    while plan["crime"] == "spin":
        pass
    for line in range(20_000):
        logging.info("line %d of a flood that nobody reads", line)
    return plan["crime"]
