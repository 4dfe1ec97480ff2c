"""What one answer may cost: 1 s of CPU and 100 MB of memory; measured per example, not estimated."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CPU = 1.0
MEMORY = 100 * 1024 * 1024
PAGE = resource.getpagesize()


@dataclass(slots=True)
class Cost:
    """CPU seconds, and by how many bytes memory grew at the most."""

    cpu: float = 0.0
    memory: int = 0


class TooDear(AssertionError):
    """An answer cost more than it may."""


@contextmanager
def measured() -> Iterator[Cost]:
    """Measures what happens inside. The kernel's own high-water mark is set back first, so that it can rise again."""
    cost = Cost()
    before = _resident()
    if _peak() - before > MEMORY // 50:
        _reset_peak()
        before = _resident()
    began = time.process_time()
    try:
        yield cost
    finally:
        cost.cpu = time.process_time() - began
        cost.memory = max(0, _peak() - before)


def check(cost: Cost, cpu: float = CPU, memory: int = MEMORY) -> None:
    """Raises TooDear."""
    if cost.cpu > cpu:
        raise TooDear(f"{cost.cpu:.2f} s of CPU for one answer")
    if cost.memory > memory:
        raise TooDear(f"{cost.memory / 1024 / 1024:.0f} MB for one answer")


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")
