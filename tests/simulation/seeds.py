"""Many seeds over many processes, each with an empty database of its own."""

from __future__ import annotations

import gc
import os
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from multiprocessing import get_context
from typing import NamedTuple


class Tried(NamedTuple):
    """How one seed went: `error` is a traceback, or empty."""

    seed: int
    error: str
    report: str = ""
    seconds: float = 0.0
    """Of the processor."""

    @property
    def is_caught(self) -> bool:
        """Whether an oracle spoke, or the database refused; a bug that stumbles over itself counts for nothing."""
        return self.reason.startswith((f"{__package__}.oracles.Violation", "django.db.utils.IntegrityError"))

    @property
    def reason(self) -> str:
        """The error in a line."""
        return self.error.strip().splitlines()[-1] if self.error else ""


@contextmanager
def workers(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """So many processes that can try seeds; what still waits at the end is not begun."""
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=prepare) as pool:
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)


def many(pool: ProcessPoolExecutor, seeds: Sequence[int], bug: str = "") -> Iterator[Tried]:
    """All these seeds, with a bug planted where one is named."""
    yield from pool.map(attempt, seeds, [bug] * len(seeds))


def set_up() -> None:
    """Make the product's modules ready to be imported."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django  # noqa: PLC0415

    django.setup()


def prepare() -> None:
    """An empty database for this process; pytest has its own way to one."""
    set_up()
    from django.db import connection  # noqa: PLC0415

    with redirect_stdout(StringIO()):
        connection.creation.create_test_db(verbosity=0, autoclobber=True)
    gc.freeze()


def attempt(seed: int, bug: str = "") -> Tried:
    """One seed."""
    from tests.simulation.bugs import BUGS, planted  # noqa: PLC0415
    from tests.simulation.oracles import Violation  # noqa: PLC0415
    from tests.simulation.plan import plan  # noqa: PLC0415
    from tests.simulation.run import simulate  # noqa: PLC0415

    if bug and not BUGS[bug].can_show(plan(seed)):
        return Tried(seed, "", "cannot show it")
    began = time.process_time()
    try:
        with planted(bug):
            report = simulate(seed)
    except (Exception, Violation):
        return Tried(seed, traceback.format_exc(), seconds=time.process_time() - began)
    told = (
        f"{report.calls} calls, {report.statements} statements, {report.rows} rows, {report.crashes} crashes"
    )
    return Tried(seed, "", told, time.process_time() - began)
