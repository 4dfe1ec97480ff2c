"""The line to one exchange's host: what every transport to it shares.

Holds no key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx2

from exchanges.circuit import UNBROKEN, Circuit
from exchanges.connector import Clock
from exchanges.pace import Pace
from exchanges.transport import CallRecord, Judge, Sign, Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Where the exchange is, how fast it may be asked, by which clock, and who counts the calls."""

    base_url: str
    clock: Clock
    pace: Pace
    client: httpx2.Client | None = None
    meter: Callable[[CallRecord], None] | None = None
    circuit: Circuit = UNBROKEN
    until: float | None = None
    """By the clock's `monotonic`: from then on nothing is tried a second time."""

    def transport(
        self,
        *,
        allowed: Sequence[re.Pattern[str] | str],
        judge: Judge | None = None,
        sign: Sign | None = None,
        prefix: str = "",
        skew_limit: float | None = None,
    ) -> Transport:
        """A transport over this line for one family of paths."""
        return Transport(
            self.base_url,
            allowed=allowed,
            clock=self.clock,
            pace=self.pace,
            sign=sign,
            judge=judge,
            client=self.client,
            prefix=prefix,
            meter=self.meter,
            circuit=self.circuit,
            until=self.until,
            skew_limit=skew_limit,
        )
