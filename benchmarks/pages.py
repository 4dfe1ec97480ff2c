"""Whether pages cost the same at a million ledger rows as at a thousand, and what they cost beside a bare template page.

    python benchmarks/pages.py [--rows 1000000] [--seconds 4] [--on sqlite postgresql]

Both histories have the same 50 assets on the same five years of days, in one database behind one server: granian with
two workers, as `manage.py serve` runs it. The bare page has as many bytes and the same middleware and session, and one
variable in each cell. Goals: 1.3; 15 queries; 20 ms of CPU; 0.8 of the bare page's requests a second on the overview;
and telling a day's new rows at a million rows takes at most 1.5 times as long as at a thousand.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.inside.fresh import BOTH, measure


def main() -> int:
    """A block of lines for each database."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=4.0, help="of load for each page and turn")
    parser.add_argument("--on", nargs="+", choices=BOTH, default=["sqlite"])
    options = parser.parse_args()
    # The measured server has a page of its own beside those of the product.
    own = {"DJANGO_SETTINGS_MODULE": "benchmarks.inside.served"}
    return measure("pages", [str(options.rows), str(options.seconds)], options.on, **own)


if __name__ == "__main__":
    sys.exit(main())
