"""How fast records become rows, as a ratio to a bare bulk_create of the same rows in the same run; goal 0.4.

    python benchmarks/ingest.py [--records 100000] [--on sqlite postgresql] [--profile]

BTSE's wallet from the sandbox in the same process, without pace; the sandbox's own time is counted apart.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.inside.fresh import BOTH, measure


def main() -> int:
    """One line for each database."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--on", nargs="+", choices=BOTH, default=BOTH)
    parser.add_argument("--profile", action="store_true", help="where the time goes")
    options = parser.parse_args()
    return measure("ingest", [str(options.records), *(["--profile"] if options.profile else [])], options.on)


if __name__ == "__main__":
    sys.exit(main())
