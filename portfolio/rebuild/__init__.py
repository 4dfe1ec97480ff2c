"""Derives everything again from Raw beside what stands, compares row by row, and swaps in what differs, whole or not at all.

`tables` says what is derived; `shadow` gives it a place; `derive` fills it; `compare` finds what differs; `swap` puts
that right in one transaction; `work` does all of it for one connection.
"""

from portfolio.rebuild.compare import Difference
from portfolio.rebuild.swap import Refused
from portfolio.rebuild.work import Busy, Rebuilt, rebuild

__all__ = ["Busy", "Difference", "Rebuilt", "Refused", "rebuild"]
