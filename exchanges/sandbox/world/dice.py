"""Chance from a seed: the same words always give the same throw.

Integers and Decimals only, so that a world is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import ROUND_DOWN, Decimal
from hashlib import blake2b
from random import Random
from typing import TypeVar

T = TypeVar("T")


def draw(*words: object) -> int:
    """A 64-bit number that depends on the words alone."""
    text = "/".join(map(str, words)).encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")


def places(amount: Decimal, digits: int) -> Decimal:
    """The amount cut (never rounded up) to so many decimals."""
    return amount.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_DOWN)


class Dice:
    """A stream of throws for one moment of one life."""

    def __init__(self, *words: object) -> None:
        self._random = Random(draw(*words))

    def chance(self, percent: int) -> bool:
        """True in so many of a hundred cases."""
        return self._random.randrange(100) < percent

    def between(self, low: str | int | Decimal, high: str | int | Decimal, digits: int) -> Decimal:
        """An amount from `low` to `high` with so many decimals."""
        least, span = Decimal(low), Decimal(high) - Decimal(low)
        return places(least + span * self._random.randrange(10**9) / 10**9, digits)

    def long(self, low: str | int | Decimal, high: str | int | Decimal) -> Decimal:
        """An amount with all eighteen decimals that a chain counts in."""
        return self.between(low, high, 9) + Decimal(self._random.randrange(10**9)).scaleb(-18)

    def whole(self, low: int, high: int) -> int:
        """An integer from `low` to `high`, both included."""
        return self._random.randint(low, high)

    def span(self, low: timedelta, high: timedelta) -> timedelta:
        """A length of time from `low` to `high`, in whole seconds."""
        return timedelta(seconds=self.whole(int(low.total_seconds()), int(high.total_seconds())))

    def one_of(self, choices: Sequence[T]) -> T:
        """One of the choices, all alike."""
        return choices[self._random.randrange(len(choices))]

    def weighted(self, weights: Mapping[T, int]) -> T:
        """One of the keys, as often as its weight says."""
        return self._random.choices(tuple(weights), weights=tuple(weights.values()))[0]

    def shuffled(self, rows: Sequence[T]) -> list[T]:
        """The same rows in another order."""
        return self._random.sample(rows, len(rows))

    def uuid(self) -> str:
        """A text that looks like a random UUID."""
        raw = self.hexes(32)
        return f"{raw[:8]}-{raw[8:12]}-4{raw[13:16]}-a{raw[17:20]}-{raw[20:]}"

    def hexes(self, digits: int) -> str:
        """A text of hexadecimal digits: hashes and addresses."""
        return f"{self._random.getrandbits(digits * 4):0{digits}x}"
