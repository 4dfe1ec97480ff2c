"""The accountant's bundle: all that the gains rest on as plain files, and a program that finds every total again.

The program (`verify.py`) is a resource: it is put into the ZIP, uses the standard library only, and shares no code
with the product. A worker makes the bundle; a page only hands it out.
"""

from portfolio.bundle.store import drop_old, make, pieces, waiting, want
from portfolio.bundle.write import write

__all__ = ["drop_old", "make", "pieces", "waiting", "want", "write"]
