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

    missed = 0
    _say(f"| planted bug | seeds of {chosen.seeds} that catch it | the first |\n|---|---|---|")
    for name in [chosen.bug] if chosen.bug else BUGS:
        caught, odd = _caught(pool, chosen, name)
        missed += not caught
        told = f"{len(caught)}" if not chosen.once else "-"
        _say(f"| {name} | {told} | {min(caught, default='never')} | {odd}")
    return 1 if missed else 0


def _caught(pool: Executor, chosen: Namespace, name: str) -> tuple[list[int], str]:
    """The seeds that catch a bug, and the first stumble that is none of an oracle's; all, or up to the first catch."""
    asked = range(chosen.first, chosen.first + chosen.seeds)
    caught, odd = list[int](), ""
    block = chosen.jobs if chosen.once else len(asked)
    for start in range(0, len(asked), block):
        for tried in seeds.many(pool, asked[start : start + block], name):
            if tried.error and tried.is_caught:
                caught.append(tried.seed)
            elif tried.error:
                odd = odd or f"{tried.seed}: {tried.reason[:120]}"
        if caught and chosen.once:
            break
    return caught, odd


if __name__ == "__main__":
    sys.exit(main())
