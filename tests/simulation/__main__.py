"""Runs many seeds across cores, or one again: python -m tests.simulation --seeds 10000, --seed 123."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from argparse import Namespace
from concurrent.futures import ProcessPoolExecutor as Executor

from tests.simulation import seeds
from tests.simulation.seeds import Tried

TOLD_EVERY = 100


def main(arguments: list[str] | None = None) -> int:
    """0 when no seed failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="run this seed alone, with its traceback")
    parser.add_argument("--seeds", type=int, default=1000, help="how many seeds")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many processes")
    parser.add_argument("--bug", default="", help="plant this bug")
    parser.add_argument(
        "--bugs", action="store_true", help="plant each bug in turn, tell how many seeds catch it"
    )
    parser.add_argument("--once", action="store_true", help="with --bugs: no further than the first catch")
    parser.add_argument(
        "--further", type=int, default=0, help="with --bugs: up to so many seeds where fewer than two catch"
    )
    chosen = parser.parse_args(arguments)
    if chosen.seed is not None:
        return _one(chosen.seed, chosen.bug)
    with seeds.workers(chosen.jobs) as pool:
        return _each_bug(pool, chosen) if chosen.bugs else _many(pool, chosen)


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def commit() -> str:
    """What is checked out, so that a seed can be told again."""
    told = subprocess.run(
        ("git", "describe", "--always", "--dirty"), capture_output=True, text=True, check=False
    )
    return told.stdout.strip() or "this-commit"


def _one(seed: int, bug: str) -> int:
    seeds.prepare()
    tried = seeds.attempt(seed, bug)
    _say(tried.error or f"seed {seed}: no failure. {tried.report}")
    return 1 if tried.error else 0


def _many(pool: Executor, chosen: Namespace) -> int:
    failed, began, at = 0, time.monotonic(), commit()
    asked = range(chosen.first, chosen.first + chosen.seeds)
    _say(f"seeds {asked.start} to {asked.stop - 1} at {at}, {chosen.jobs} processes")
    for done, tried in enumerate(seeds.many(pool, asked, chosen.bug), start=1):
        if tried.error:
            failed += 1
            planted = f' --bug "{chosen.bug}"' if chosen.bug else ""
            again = f"python -m tests.simulation --seed {tried.seed}{planted}"
            _say(f"FAILED {tried.reason[:400]}\n  git checkout {at} && {again}")
        if done % TOLD_EVERY == 0 or done == len(asked):
            pace = done / (time.monotonic() - began)
            _say(f"{done} seeds, {failed} failed, {pace:.1f} seeds/s")
    return 1 if failed else 0


def _each_bug(pool: Executor, chosen: Namespace) -> int:
    seeds.set_up()
    from tests.simulation.bugs import BUGS  # noqa: PLC0415
    from tests.simulation.plan import trial  # noqa: PLC0415

    missed = 0
    _say("| planted bug | seeds | catch it | share | the first | the quickest |\n|---|---|---|---|---|---|")
    for name in [chosen.bug] if chosen.bug else BUGS:
        count = _Count()
        for done in range(0, max(chosen.seeds, chosen.further), chosen.jobs):
            if count.is_enough(chosen, done):
                break
            begin = chosen.first + done
            asked = [trial(number) for number in range(begin, begin + chosen.jobs)]
            for tried in seeds.many(pool, asked, name):
                count.take(tried)
        missed += not count.caught
        _say(f"| {name} | {count.told()} |")
    return 1 if missed else 0


class _Count:
    """What the seeds tried on one bug came to."""

    def __init__(self) -> None:
        self.caught: list[Tried] = []
        self._tried = 0
        self._odd = ""
        """The first stumble that is none of an oracle's."""

    def take(self, tried: Tried) -> None:
        """One more seed."""
        self._tried += 1
        if tried.error and tried.is_caught:
            self.caught.append(tried)
        elif tried.error:
            self._odd = self._odd or f"{tried.seed}: {tried.reason[:120]}"

    def is_enough(self, chosen: Namespace, done: int) -> bool:
        """Whether no more need be tried."""
        if chosen.once:
            return bool(self.caught)
        return done >= chosen.seeds and len(self.caught) > 1

    def told(self) -> str:
        """The rest of a line of the table."""
        if not self.caught:
            return f"{self._tried} | 0 | - | never | {self._odd}"
        share = f"{100 * len(self.caught) / self._tried:.0f} %"
        quickest = min(self.caught, key=lambda one: one.seconds).seed
        return f"{self._tried} | {len(self.caught)} | {share} | {self.caught[0].seed} | {quickest}"


if __name__ == "__main__":
    sys.exit(main())
