"""JSON as exchanges send it: exact numbers, nothing ambiguous, and readers for its fields.

Pure. Knows no network, no store and no exchange. What a whole body may not be is `Hostile`; what a single field
may not be is a ValueError whose text is safe to show, so that one bad row does not cost its page.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, DecimalException
from functools import lru_cache, partial
from typing import cast

import simplejson

from exchanges.errors import Hostile, TooMuch
from exchanges.records import Raw, Unreadable

Value = str | Decimal | bool | None | list["Value"] | dict[str, "Value"]
"""What `parse` returns: every number is a Decimal with the digits that were sent."""

MAX_DEPTH = 64
MAX_ROWS = 10_000
"""In one list. Reading so many takes half a second; the longest answers that are known have 500."""
MAX_VALUES = 300_000
"""In one answer: a number needs a hundred bytes of memory for two on the wire."""
MAX_DIGITS = 38
MAX_PLACES = 18
ID_LIMIT = 200
ASSET_LIMIT = 32

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST = datetime(2009, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)

_AMOUNT = re.compile(r"-?[0-9]{1,60}(?:\.[0-9]{1,60})?(?:[eE][+-]?[0-9]{1,2})?")
_PLAIN = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,18})?")
_EPOCH = re.compile(r"[0-9]{9,14}(?:\.[0-9]{1,9})?")
_SEPARATORS = re.compile(r"[\s_-]+")
_WIDE = Context(prec=120)


def _object(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise Hostile("The exchange's answer names a field twice.")
    return value


_decoder = simplejson.JSONDecoder(parse_float=Decimal, parse_int=Decimal, object_pairs_hook=_object)
_encoder = partial(simplejson.JSONEncoder, use_decimal=True, separators=(",", ":"))
_as_sent = _encoder(ensure_ascii=False)
_canonical = _encoder(ensure_ascii=False, sort_keys=True)
_escaped = _encoder()


def parse(body: bytes | str) -> Value:
    """The JSON value of a body, or Hostile: not JSON, NaN, a field named twice, too much, nested deeper than 64."""
    reason = "The exchange's answer is not JSON."
    try:
        text = body if isinstance(body, str) else body.decode()
        _refuse_crowd(text)
        value = cast(Value, _decoder.decode(text))
    except TooMuch:
        raise
    except Hostile as error:
        reason = str(error)
    except RecursionError:
        reason = "The exchange's answer is nested too deeply."
    except (ValueError, DecimalException):
        pass  # the parser's own text quotes the body
    else:
        _refuse_shape(value)
        return value
    raise Hostile(reason)


def _refuse_crowd(text: str) -> None:
    """Before any of it is built; commas inside texts count too, which makes the bound only tighter."""
    if len(text) > MAX_VALUES and text.count(",") + text.count("[") + text.count("{") > MAX_VALUES:
        raise TooMuch(f"The exchange's answer holds more than {MAX_VALUES} values.")


def _refuse_shape(value: Value) -> None:
    level: list[Value] = [value] if isinstance(value, list | dict) else []
    for _ in range(MAX_DEPTH):
        if not level:
            return
        if any(len(parent) > MAX_ROWS for parent in level if type(parent) is list):
            raise TooMuch(f"The exchange's answer lists more than {MAX_ROWS} rows at once.")
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else cast("list[Value]", parent))
            if type(child) is list or type(child) is dict
        ]
    if level:
        raise Hostile("The exchange's answer is nested too deeply.")


def dump(value: object) -> str:
    """The JSON text of a value: every digit kept, and always storable as UTF-8."""
    text = _as_sent.encode(value)
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return _escaped.encode(value)
    return text


def digest(value: object) -> str:
    """SHA-256 of a value's canonical form (keys sorted): equal values, equal digests."""
    return hashlib.sha256(_canonical.encode(value).encode("utf-8", "surrogatepass")).hexdigest()


def record(stream: str, source_id: str, value: object) -> Raw:
    """A row as it is kept for ever."""
    return Raw(stream=stream, source_id=source_id, body=dump(value), digest=digest(value))


def unreadable(stream: str, value: object, reason: str, source_id: str = "") -> Unreadable:
    """A row that goes to quarantine, with a reason that is safe to show."""
    return Unreadable(
        stream=stream, source_id=source_id, body=dump(value), digest=digest(value), reason=reason[:200]
    )


def rows(value: Value, *names: str) -> list[Value]:
    """The list in an answer: bare, or under one of `names`; ValueError where there is none."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        for name in names:
            inner = value.get(name)
            if isinstance(inner, list):
                return inner
            if isinstance(inner, dict):
                return rows(inner, *names)
    raise ValueError("no list of rows where one was expected")


def fields(value: object) -> dict[str, Value]:
    """The value as an object; ValueError for anything else."""
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return cast("dict[str, Value]", value)


def first(row: Mapping[str, Value], names: Sequence[str]) -> Value:
    """The first of `names` that the row has with a value other than null and empty text."""
    for name in names:
        value = row.get(name)
        if value is not None and value != "":
            return value
    return None


def amount(value: object) -> Decimal:
    """An exact amount from text or number: at most 38 digits, 18 of them places; never rounded."""
    if not isinstance(value, str | Decimal):
        raise ValueError("an amount is missing or not a number")
    written = value if isinstance(value, str) else str(value)
    if _PLAIN.fullmatch(written):
        plain = value if isinstance(value, Decimal) else Decimal(written)
        return plain if plain else Decimal(0)
    if not _AMOUNT.fullmatch(written):
        raise ValueError("an amount is not a plain number")
    number = Decimal(written)
    if not number:
        return Decimal(0)
    number = _WIDE.normalize(number)
    if number.adjusted() >= MAX_DIGITS - MAX_PLACES or cast(int, number.as_tuple().exponent) < -MAX_PLACES:
        raise ValueError("an amount has more digits than can be kept exactly")
    return Decimal(format(number, "f"))


def moment(value: object) -> datetime:
    """A time in UTC from ISO 8601 with any offset, or from epoch seconds or milliseconds."""
    written = str(value) if isinstance(value, str | Decimal) else ""
    if _EPOCH.fullmatch(written):
        number = Decimal(written)
        scale = 1000 if number > 100_000_000_000 else 1_000_000
        found = EPOCH + timedelta(microseconds=int(number * scale))
    elif isinstance(value, str) and 8 <= len(value) <= 40 and value.isascii():
        found = _iso(value)
    else:
        raise ValueError("a time is missing or not readable")
    if not EARLIEST <= found < LATEST:
        raise ValueError("a time is out of range")
    return found


def _iso(value: str) -> datetime:
    try:
        found = datetime.fromisoformat(value.strip())
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("a time is missing or not readable") from None


def text(value: object, limit: int = ID_LIMIT) -> str:
    """Text for people: null is empty, numbers as written, cut to `limit`; refuses what no store can hold."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | Decimal):
        raise ValueError("a text is not a text")
    written = str(value).strip()[:limit]
    if not written.isprintable():
        if "\0" in written or any("\ud800" <= c <= "\udfff" for c in written):
            raise ValueError("a text has characters that cannot be kept")
        written = "".join(c if c.isprintable() else " " for c in written)
    return written.strip()


def identifier(value: object) -> str:
    """An exchange's own id as text: a text or an integer of 1 to 200 printable characters, never cut."""
    if isinstance(value, bool) or not isinstance(value, str | Decimal):
        raise ValueError("an id is missing")
    written = str(value)
    if not written or len(written) > ID_LIMIT or not written.isprintable() or written.isspace():
        raise ValueError("an id is missing or not usable")
    return written


def asset(value: object) -> str:
    """The name of an asset in our spelling: `USD₮`, `USDt` and `usdt` are USDT."""
    if not isinstance(value, str):
        raise ValueError("an asset's name is missing")
    if len(value) > 2 * ASSET_LIMIT:  # before it is looked up: what is looked up is remembered
        raise ValueError("an asset's name is missing or not usable")
    return _folded(value)


@lru_cache(maxsize=4096)
def _folded(value: str) -> str:
    name = value.strip().replace("₮", "T").upper()
    if not 1 <= len(name) <= ASSET_LIMIT or not name.isprintable():
        raise ValueError("an asset's name is missing or not usable")
    return name


def word(value: object) -> str:
    """A word of a closed set for comparing: lower case, with spaces, `_` and `-` all as `_`; else empty.

    Words end up in cursors, so what no store can hold is no word.
    """
    if isinstance(value, Decimal):
        return str(value)[:60]
    return _word(value[:60]) if isinstance(value, str) else ""


@lru_cache(maxsize=4096)
def _word(value: str) -> str:
    found = _SEPARATORS.sub("_", value.strip().lower())
    return found if found.isprintable() else ""
