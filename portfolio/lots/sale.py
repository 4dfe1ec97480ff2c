"""Turns the parts that a disposal took into records: proceeds shared by quantity, the last part takes the rest."""

from decimal import Decimal

from portfolio.lots.exact import ZERO, divide, share, subtract
from portfolio.lots.pools import Part
from portfolio.lots.records import Disposal, Match, Movement


def missing_part(quantity: Decimal) -> Part:
    """What was disposed of without being held: it cost nothing, as far as anybody knows."""
    return Part(None, 0, quantity, ZERO, ZERO, Match.MISSING)


def disposals_of(movement: Movement, parts: list[Part]) -> list[Disposal]:
    """One record per part; quantities and proceeds add up exactly to the movement's own."""
    left = subtract(movement.value, movement.fee)
    if len(parts) == 1:
        return [_disposal(movement, parts[0], left)]
    unit = divide(left, movement.quantity)
    disposals = []
    for part in parts[:-1]:
        proceeds = share(unit, part.quantity)
        left = subtract(left, proceeds)
        disposals.append(_disposal(movement, part, proceeds))
    disposals.append(_disposal(movement, parts[-1], left))
    return disposals


def _disposal(movement: Movement, part: Part, proceeds: Decimal) -> Disposal:
    return Disposal(
        asset=movement.asset,
        account=movement.account,
        acquired=part.acquired,
        disposed=movement.time,
        quantity=part.quantity,
        proceeds=proceeds,
        cost=part.cost,
        gain=subtract(proceeds, part.cost),
        match=part.match,
    )
