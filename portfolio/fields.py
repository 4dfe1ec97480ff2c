"""Amounts that are exact in every database: 38 digits, 18 of them after the point.

PostgreSQL keeps them as numeric(38,18). SQLite's decimals keep 15 digits only, so there they are canonical text,
and the database may neither add nor order them: sums are made in Python.
"""

from __future__ import annotations

from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Expression

PLACES = 18
DIGITS = 38
EXACT = Context(prec=DIGITS, traps=[InvalidOperation, Inexact])
"""Arithmetic that raises rather than rounds."""
_SMALLEST = Decimal(1).scaleb(-PLACES)


def plain(amount: Decimal) -> str:
    """Canonical text: no exponent, no trailing zeros, no minus zero."""
    text = format(amount, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def checked(value: Any) -> Decimal:
    """The value as a Decimal that fits; raises ValidationError for floats, NaN, and what would be rounded."""
    if type(value) is Decimal and value.is_finite():
        try:
            EXACT.quantize(value, _SMALLEST)
        except DecimalException:
            pass  # below it is said what is wrong with it
        else:
            return value
    if isinstance(value, float | bool):
        raise ValidationError("Amounts must be exact, not floating point.")
    try:
        amount = value if isinstance(value, Decimal) else Decimal(str(value))
        if not amount.is_finite() or amount.adjusted() >= DIGITS - PLACES:
            raise ValidationError("The amount is not a number of at most 20 digits before the point.")
        if amount.as_tuple().exponent < -PLACES:  # type: ignore[operator]
            # Trailing zeros beyond the last place are no loss, digits are: quantize raises Inexact for those.
            amount = amount.quantize(Decimal(1).scaleb(-PLACES), context=EXACT)
    except DecimalException as error:
        raise ValidationError(
            "The amount has more than 18 digits after the point, or is no number."
        ) from error
    return amount


def fits(*amounts: Decimal) -> bool:
    """Whether sums of amounts can still be kept as amounts: what an exchange invents may add up to more."""
    return all(amount.adjusted() < DIGITS - PLACES for amount in amounts)


class AmountField(models.DecimalField[Any, Any]):
    """A DecimalField(38, 18) that is text on SQLite, so that no digit is lost."""

    description = "An exact amount of 38 digits, 18 of them after the point"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Digits and places are fixed; other arguments as for any field."""
        kwargs["max_digits"], kwargs["decimal_places"] = DIGITS, PLACES
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        """Leave out what is always the same."""
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_digits"], kwargs["decimal_places"]
        return name, path, args, kwargs

    def get_internal_type(self) -> str:
        """A name of its own: SQLite's converter for decimals would round."""
        return "AmountField"

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        """Text where the database's own decimals lose digits."""
        return "text" if connection.vendor == "sqlite" else f"numeric({DIGITS}, {PLACES})"

    def to_python(self, value: Any) -> Decimal | None:
        """An exact Decimal or None."""
        return None if value is None or value == "" else checked(value)

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        """Canonical text on SQLite, the Decimal itself elsewhere."""
        if value is None or isinstance(value, Expression):
            return value
        amount = checked(value)
        return plain(amount) if connection.vendor == "sqlite" else amount

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        """As for look-ups: the stock field would go through the database's own decimals."""
        return self.get_db_prep_value(value, connection)

    def get_db_converters(self, connection: BaseDatabaseWrapper) -> list[Any]:
        """Back from text, without trailing zeros on any database."""
        return [self.from_db_value]

    def from_db_value(self, value: Any, *_: Any) -> Decimal | None:
        """What was stored, in canonical form."""
        if value is None:
            return None
        # Text is stored in canonical form already; numeric comes with all its places.
        return Decimal(value) if isinstance(value, str) else Decimal(plain(Decimal(value)))
