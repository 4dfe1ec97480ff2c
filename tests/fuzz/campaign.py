"""Many examples over many processes: counts by outcome, the dearest, and every failure with how to play it again."""

from __future__ import annotations

import logging
import resource
import signal
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from types import FrameType
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, given, seed, settings

from exchanges.catalog import ExchangeName
from tests.fuzz.examples import Example, examples
from tests.simulation import seeds

if TYPE_CHECKING:
    from tests.fuzz.trial import Trial

BATCH = 2_500
WALL = 2 * 1024**3
"""No process of the campaign may have more address space than this: a bomb must not take the machine along."""
PATIENCE = 60.0
"""CPU seconds after which an example is said to hang."""


class Hangs(BaseException):
    """An example does not end; nothing in the product may catch this."""


@dataclass
class Tally:
    """What some examples came to."""

    examples: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[str, str]] = field(default_factory=list)
    """(what was raised, the example)"""
    slowest: tuple[float, str] = (0.0, "")
    biggest: tuple[int, str] = (0, "")
    rows: int = 0
    quarantined: int = 0
    synced: Counter[str] = field(default_factory=Counter)
    cpu: float = 0.0

    def add(self, other: Tally) -> None:
        """Both together."""
        self.examples += other.examples
        self.outcomes += other.outcomes
        self.synced += other.synced
        self.failures += other.failures
        self.slowest = max(self.slowest, other.slowest)
        self.biggest = max(self.biggest, other.biggest)
        self.rows += other.rows
        self.quarantined += other.quarantined
        self.cpu += other.cpu


def many(exchange: ExchangeName, count: int, first: int, jobs: int, share: int) -> Iterator[Tally]:
    """All batches of one exchange as they end; every `share`-th example also goes through sync and database."""
    sizes = [min(BATCH, count - start) for start in range(0, count, BATCH)]
    numbers = range(first, first + len(sizes))
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=prepare) as pool:
        yield from pool.map(batch, [exchange] * len(sizes), numbers, sizes, [share] * len(sizes))


def prepare() -> None:
    """A process with a database of its own and a wall around its memory."""
    seeds.prepare()
    logging.disable(logging.CRITICAL)
    resource.setrlimit(resource.RLIMIT_AS, (WALL, WALL))
    signal.signal(signal.SIGPROF, _hangs)


def _hangs(number: int, frame: FrameType | None) -> None:
    raise Hangs(f"more than {PATIENCE:.0f} s of CPU")


def batch(exchange: ExchangeName, number: int, count: int, share: int) -> Tally:
    """Examples of one seed; the same number gives the same examples."""
    from tests.fuzz.stored import attempt_stored  # noqa: PLC0415
    from tests.fuzz.trial import attempt  # noqa: PLC0415

    tally, began = Tally(), time.process_time()

    def one(example: Example) -> None:
        tally.examples += 1
        _tried(example, tally, lambda: _counted(tally, example, attempt(example)))
        if share and tally.examples % share == 0:
            _tried(example, tally, lambda: _synced(tally, attempt_stored(example)))

    quiet = settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    seed(number)(quiet(given(examples(exchange))(one)))()
    tally.cpu = time.process_time() - began
    return tally


def _tried(example: Example, tally: Tally, does: Callable[[], None]) -> None:
    signal.setitimer(signal.ITIMER_PROF, PATIENCE)
    try:
        does()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        tally.failures.append(
            (
                f"{type(error).__name__}: {str(error)[:200]} ({where.filename}:{where.lineno})",
                example.written(),
            )
        )
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _counted(tally: Tally, example: Example, trial: Trial) -> None:
    tally.outcomes[trial.outcome] += 1
    tally.rows += trial.stored
    tally.quarantined += trial.quarantined
    if trial.cost.cpu > tally.slowest[0]:
        tally.slowest = (trial.cost.cpu, example.written())
    if trial.cost.memory > tally.biggest[0]:
        tally.biggest = (trial.cost.memory, example.written())


def _synced(tally: Tally, trial: Trial | None) -> None:
    if trial is not None:
        tally.synced[trial.outcome] += 1
