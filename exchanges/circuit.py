"""When a host is left alone: after repeated failures nobody asks it for a growing while, then one call tries it.

The rule is here; where it is remembered, for all processes at once, is the caller's. Pure.
"""

from __future__ import annotations

import random
from typing import Protocol

from exchanges.errors import ExchangeError, ExchangeFault, Hostile, Resting, TooSlow, Unreachable

OPENS_AT = 8
"""Points of failure in a row; one turn of one account brings at most six of errors that the exchange answers with."""
FIRST_REST, LONGEST_REST = 30.0, 900.0
"""Seconds."""


class Circuit(Protocol):
    """Stands before every call to one host."""

    def admit(self) -> None:
        """Let a call pass; raises Resting while the host is left alone."""
        ...

    def answered(self) -> None:
        """The host gave an answer of its own, whatever it said of key, right or pace."""
        ...

    def failed(self, error: ExchangeError) -> None:
        """A call failed by the host's fault."""
        ...


class Unbroken:
    """Lets everything pass; for tests and for what is asked once."""

    def admit(self) -> None:
        """Pass."""

    def answered(self) -> None:
        """Nothing is counted."""

    def failed(self, error: ExchangeError) -> None:
        """Nothing is counted."""


UNBROKEN = Unbroken()


def points(error: ExchangeError) -> int:
    """How much a failure speaks against the host: silence most, an error of one path less, a refusal not at all."""
    if isinstance(error, Resting):
        return 0
    if isinstance(error, Unreachable | TooSlow):
        return 2
    return 1 if isinstance(error, ExchangeFault | Hostile) else 0


def rest(openings: int, dice: random.Random) -> float:
    """Seconds for which a host is left alone when it has to be for the `openings`th time in a row."""
    return float(min(LONGEST_REST, FIRST_REST * 2 ** min(openings - 1, 10)) * dice.uniform(0.75, 1.25))
