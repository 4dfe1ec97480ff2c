"""Runs many seeds across cores, or one again: python -m tests.simulation --seeds 10000, --seed 123."""

from __future__ import annotations

import argparse
import os
import sys
import time

from tests.simulation import seeds


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
    chosen = parser.parse_args(arguments)
    if chosen.seed is not None:
        return _one(chosen.seed, chosen.bug)
    if chosen.bugs:
        return _each_bug(chosen.seeds, chosen.first, chosen.jobs)
    return _many(chosen.seeds, chosen.first, chosen.jobs, chosen.bug)


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def _one(seed: int, bug: str) -> int:
    seeds.prepare()
    tried = seeds.attempt(seed, bug)
    _say(tried.error or f"seed {seed}: no failure. {tried.report}")
    return 1 if tried.error else 0


def _many(count: int, first: int, jobs: int, bug: str) -> int:
    began, failed = time.monotonic(), 0
    for done, tried in enumerate(seeds.many(count, first, jobs, bug), start=1):
        if tried.error:
            failed += 1
            planted = f" --bug {bug}" if bug else ""
            _say(f"FAILED {tried.reason[:400]}\n  python -m tests.simulation --seed {tried.seed}{planted}")
        if done % 500 == 0 or done == count:
            pace = done / (time.monotonic() - began)
            _say(f"{done} seeds, {failed} failed, {pace:.1f} seeds/s")
    return 1 if failed else 0


def _each_bug(count: int, first: int, jobs: int) -> int:
    from tests.simulation.bugs import BUGS  # noqa: PLC0415

    missed = 0
    for name in BUGS:
        tried = [one for one in seeds.many(count, first, jobs, name) if one.error]
        caught = [one.seed for one in tried if one.is_caught]
        missed += not caught
        odd = next((one.reason[:120] for one in tried if not one.is_caught), "")
        _say(f"| {name} | {100 * len(caught) / count:.1f} % | {min(caught, default='never')} | {odd}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
