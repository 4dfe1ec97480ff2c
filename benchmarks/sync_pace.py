"""Whether a first sync is bound by the exchange's pace and not by us; memory from 10,000 to 100,000; what an idle sync asks.

    python benchmarks/sync_pace.py [--long] [--on sqlite|postgresql]

Waiting is skipped on a clock that jumps, so that an hour of pace takes no hour; each answer counts as 0.1 s,
our own work as the CPU time it takes.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.inside.fresh import BOTH, told

GOAL, GROWTH = 1.15, 30.0
SIZES = {"btse": 10_000, "tether": 2_000, "tokens_net": 2_000}
"""An account of ten thousand rows at the exchange whose pace is published; smaller ones where 25 rows make a page."""


def main() -> int:
    """A line for each exchange, and the verdict."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="100,000 records at BTSE as well, and memory")
    parser.add_argument("--on", choices=BOTH, default="sqlite")
    options = parser.parse_args()
    found = {name: one(name, size, options.on) for name, size in SIZES.items()}
    ok = all(each["ratio"] <= GOAL and not each["refused"] for each in found.values())
    if options.long:
        long = one("btse", 100_000, options.on)
        small, large = (float(told("memory", [str(size)], options.on)) for size in (10_000, 100_000))
        growth = large - small
        print(f"memory grows by {growth:.0f} MB from 10,000 to 100,000 records (budget {GROWTH:.0f})")
        ok = ok and long["ratio"] <= GOAL and growth <= GROWTH
    return 0 if ok else 1


def one(exchange: str, records: int, database: str) -> dict[str, Any]:
    """Measure and print."""
    found: dict[str, Any] = json.loads(told("pace", [exchange, str(records)], database))
    found["ratio"] = found["elapsed"] / found["allowed"]
    print(
        f"{exchange:<10} {records:>7,} records, {found['requests']} requests: {found['elapsed']:.0f} s; "
        f"requests ÷ allowed rate {found['allowed']:.0f} s; ratio {found['ratio']:.2f} (goal {GOAL}); "
        f"our own work {found['ours']:.0f} s of CPU; refused for pace {found['refused']}",
        flush=True,
    )
    print(f"           an idle sync asks {len(found['idle'])} times: {' '.join(found['idle'])}", flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
