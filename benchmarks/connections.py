"""How many connections a minute one worker of 16 threads reads from an exchange that answers in 200 ms, 5 calls each.

    python benchmarks/connections.py [--connections 240] [--on sqlite postgresql]

The ratio is to a bare loop: the same client, as many threads, as many calls, no store, no queue, in the same run.
Goals: 600 a minute on PostgreSQL and Redis, ratio 0.7.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.inside.fresh import BOTH, measure


def main() -> int:
    """One line for each set-up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=240)
    parser.add_argument("--on", nargs="+", choices=BOTH, default=["postgresql"])
    options = parser.parse_args()
    return measure("connections", [str(options.connections)], options.on)


if __name__ == "__main__":
    sys.exit(main())
