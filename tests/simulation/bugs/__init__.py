"""Planted bugs: each patches one function of the pipeline, and some seed must catch it. None is in the product."""

from __future__ import annotations

from contextlib import nullcontext

from tests.simulation.bugs.keeping import KEEPING
from tests.simulation.bugs.planting import Bug, Patch
from tests.simulation.bugs.reading import READING
from tests.simulation.bugs.working import WORKING

BUGS: dict[str, Bug] = READING | KEEPING | WORKING


def planted(name: str) -> Patch:
    """The context in which the bug is there; nothing for an empty name."""
    return BUGS[name].plant() if name else nullcontext()
