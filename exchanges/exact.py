"""Sums and products of amounts with every digit kept, or a refusal; never a rounding.

Python's default context keeps 28 digits, which is too few here.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow

from exchanges import wire

_EXACT = Context(prec=160, traps=[Inexact, InvalidOperation, Overflow])


def plus(left: Decimal, right: Decimal) -> Decimal:
    """The exact sum; ValueError when it does not fit an amount."""
    return _fitting(_EXACT.add, left, right)


def times(left: Decimal, right: Decimal) -> Decimal:
    """The exact product; ValueError when it does not fit an amount."""
    return _fitting(_EXACT.multiply, left, right)


def negated(amount: Decimal) -> Decimal:
    """The amount with the other sign (the minus operator would round to the context); zero stays zero."""
    return amount.copy_negate() if amount else amount


def _fitting(operation: Callable[[Decimal, Decimal], Decimal], left: Decimal, right: Decimal) -> Decimal:
    try:
        result = operation(left, right)
    except DecimalException:
        raise ValueError("a result does not fit an amount") from None
    return wire.amount(format(result, "f"))
