"""Many seeds over many processes, each with an empty database of its own."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from io import StringIO
from multiprocessing import get_context
from typing import NamedTuple


class Tried(NamedTuple):
    """How one seed went: `error` is a traceback, or empty."""

    seed: int
    error: str
    report: str = ""

    @property
    def is_caught(self) -> bool:
        """Whether an oracle spoke, or the database refused; a bug that stumbles over itself counts for nothing."""
        return self.reason.startswith((f"{__package__}.oracles.Violation", "django.db.utils.IntegrityError"))

    @property
    def reason(self) -> str:
        """The error in a line."""
        return self.error.strip().splitlines()[-1] if self.error else ""


def many(count: int, first: int, jobs: int, bug: str = "") -> Iterator[Tried]:
    """All seeds from `first` on, with a bug planted where one is named."""
    seeds = range(first, first + count)
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=prepare) as pool:
        yield from pool.map(attempt, seeds, [bug] * count, chunksize=5)


def prepare() -> None:
    """An empty database for this process; pytest has its own way to one."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django  # noqa: PLC0415

    django.setup()
    from django.db import connection  # noqa: PLC0415

    with redirect_stdout(StringIO()):
        connection.creation.create_test_db(verbosity=0, autoclobber=True)


def attempt(seed: int, bug: str = "") -> Tried:
    """One seed."""
    from tests.simulation.bugs import planted  # noqa: PLC0415
    from tests.simulation.run import simulate  # noqa: PLC0415

    try:
        with planted(bug):
            report = simulate(seed)
    except Exception:
        return Tried(seed, traceback.format_exc())
    told = (
        f"{report.calls} calls, {report.statements} statements, {report.rows} rows, {report.crashes} crashes"
    )
    return Tried(seed, "", told)
