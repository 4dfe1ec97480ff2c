"""Mutated answers across cores, or one again: python -m tests.fuzz --examples 100000, --replay '{"exchange": …}'."""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback

from exchanges.catalog import EXCHANGES, ExchangeName
from tests.fuzz import campaign
from tests.fuzz.campaign import Tally
from tests.fuzz.examples import Example, made

SHOWN = 20


def main(arguments: list[str] | None = None) -> int:
    """0 when every answer ended in one of the outcomes that there may be."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--examples", type=int, default=100_000, help="how many for each exchange")
    parser.add_argument("--exchange", choices=list(EXCHANGES), action="append", help="only this one")
    parser.add_argument("--first", type=int, default=0, help="number of the first batch")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many processes")
    parser.add_argument(
        "--share", type=int, default=100, help="every so manieth goes through the database; 0: none"
    )
    parser.add_argument("--replay", help="one example, as a failure was printed")
    chosen = parser.parse_args(arguments)
    if chosen.replay:
        return _again(Example.load(chosen.replay))
    names = [ExchangeName(name) for name in chosen.exchange or EXCHANGES]
    totals = [_campaign(name, chosen.examples, chosen.first, chosen.jobs, chosen.share) for name in names]
    return 1 if any(total.failures for total in totals) else 0


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def _campaign(name: ExchangeName, count: int, first: int, jobs: int, share: int) -> Tally:
    total, began = Tally(), time.monotonic()
    for tally in campaign.many(name, count, first, jobs, share):
        total.add(tally)
        pace = total.examples / (time.monotonic() - began)
        if total.examples % 10_000 == 0 or total.examples >= count:
            _say(f"{name}: {total.examples} examples, {len(total.failures)} failed, {pace:.0f}/s")
    _tell(name, total)
    return total


def _tell(name: ExchangeName, total: Tally) -> None:
    per_core = total.examples / total.cpu if total.cpu else 0.0
    _say(
        f"== {name}: {total.examples} examples, {per_core:.0f} per second of CPU, {len(total.failures)} failed"
    )
    _say(
        f"   rows {total.rows}, of them in quarantine {total.quarantined}; through the database {dict(total.synced)}"
    )
    for outcome, times in total.outcomes.most_common():
        _say(f"   {times:>7}  {outcome}")
    _say(f"   slowest {total.slowest[0]:.2f} s of CPU: {total.slowest[1]}")
    _say(f"   biggest {total.biggest[0] / 1024 / 1024:.0f} MB: {total.biggest[1]}")
    kinds: dict[str, list[str]] = {}
    for reason, written in total.failures:
        kinds.setdefault(reason, []).append(written)
    for reason, found in sorted(kinds.items(), key=lambda one: -len(one[1]))[:SHOWN]:
        _say(f"FAILED {len(found)} x {reason}\n  python -m tests.fuzz --replay '{min(found, key=len)}'")


def _again(example: Example) -> int:
    campaign.prepare()
    from tests.fuzz.stored import attempt_stored  # noqa: PLC0415
    from tests.fuzz.trial import attempt  # noqa: PLC0415

    sent = made(example)
    _say(f"HTTP {sent.status}, {dict(sent.headers)}, {len(sent.body)} bytes: {sent.plain[:1000]!r}")
    try:
        _say(f"{attempt(example)}\n{attempt_stored(example)}")
    except BaseException:
        _say(traceback.format_exc())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
