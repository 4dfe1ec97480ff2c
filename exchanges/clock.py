"""The time of this computer, as the rest of `exchanges` asks for it."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class SystemClock:
    """The real clock."""

    def now(self) -> datetime:
        """Aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


SYSTEM_CLOCK = SystemClock()
