"""Arithmetic that never rounds unseen: sums are exact or fail, shares are cut at 18 decimals on purpose.

The contexts are its own, so a caller's decimal context changes nothing.
"""

from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, InvalidOperation, Overflow

# Numbers come in with at most 24 digits before and 30 after the point (see the reader); 64 digits leave
# room for thousands of millions of additions, and the trap turns any doubt into an error.
_SUMS = Context(prec=64, traps=[Inexact, InvalidOperation, Overflow])
_SHARES = Context(prec=96, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, Overflow])
_LAST_PLACE = Decimal("1e-18")

_RANKED = Decimal("1e-30")

ZERO = Decimal(0)

add = _SUMS.add
subtract = _SUMS.subtract
divide = _SHARES.divide
_multiply = _SHARES.multiply
_quantize = _SHARES.quantize


def share(unit: Decimal, quantity: Decimal) -> Decimal:
    """What `quantity` units are worth at `unit` each, half-even at 18 decimals; the rest stays with the whole."""
    exact = _multiply(unit, quantity)
    cut = _quantize(exact, _LAST_PLACE)
    return exact if exact == cut else cut  # equal, but without idle zeros to carry along


def ranked(unit: Decimal) -> Decimal:
    """The unit cost by which lots are told apart: at 30 decimals, so that a store can order them too."""
    return _quantize(unit, _RANKED)
