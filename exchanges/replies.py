"""What an answer's status, headers and first and last characters mean, whichever exchange it came from.

Pure. What only one exchange says so is judged in its own folder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from exchanges import wire
from exchanges.errors import (
    BadRequest,
    ExchangeError,
    ExchangeFault,
    Hostile,
    KeyRejected,
    MissingRight,
    NotOffered,
    RateLimited,
    Unreachable,
)

ENCODINGS = frozenset({"", "identity", "gzip", "deflate"})
SHOWN = 8
NAME = re.compile(r"[A-Za-z_][A-Za-z_-]{0,30}")


def header_date(headers: Mapping[str, str]) -> datetime | None:
    """The time in an answer's Date header, or None where there is none or it cannot be meant."""
    try:
        found = parsedate_to_datetime(headers.get("date", ""))
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if wire.EARLIEST <= found < wire.LATEST else None


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """The pause an answer asks for, in seconds: given in seconds, as an epoch (above 10^9) or as a date."""
    written = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,13}(?:\.[0-9]{1,6})?", written):
        seconds = float(written)
        if seconds > 100_000_000_000:
            seconds /= 1000
        return max(0.0, seconds - now.timestamp() if seconds > 1_000_000_000 else seconds)
    date = header_date({"date": written})
    return None if date is None else max(0.0, (date - now).total_seconds())


def judge_status(status: int) -> None:
    """Raise what an HTTP status alone means; a 2xx passes."""
    if 200 <= status < 300:
        return
    if status in _BY_STATUS:
        raise _BY_STATUS[status]()
    if status >= 500:
        raise ExchangeFault()
    if 400 <= status < 500:
        raise BadRequest(f"The exchange refused this call (HTTP {status}).")
    raise Hostile(f"The exchange answered with an unexpected status (HTTP {status}).")


_BY_STATUS: dict[int, type[ExchangeError]] = {
    401: KeyRejected,
    403: MissingRight,
    404: NotOffered,
    408: Unreachable,
    429: RateLimited,
}


def refuse_head(status: int, headers: Mapping[str, str]) -> ExchangeError | None:
    """Why an answer is refused before its body is read, or None."""
    if 300 <= status < 400:
        return Hostile("The exchange answered with a redirect, which is never followed.")
    if headers.get("content-encoding", "").strip().lower() not in ENCODINGS:
        return Hostile("The exchange's answer is packed in a way that cannot be read.")
    return None


def from_gateway(body: bytes) -> ExchangeError | None:
    """Something between us and the exchange spoke, or the answer was cut: worth another try."""
    start, end = body[:200].lstrip(), body[-200:].rstrip()
    if not start or start.startswith(b"<"):
        return Unreachable("Instead of data a web page or nothing came. It is tried again by itself.")
    if (start[:1] == b"[" and end[-1:] != b"]") or (start[:1] == b"{" and end[-1:] != b"}"):
        return Unreachable("The exchange's answer was cut short. It is tried again by itself.")
    return None


def shape(value: wire.Value) -> str:
    """How an answer is built, for people who look for a fault: counts and names of fields, no content."""
    if isinstance(value, list):
        inner = f" of {_fields(value[0])}" if value and isinstance(value[0], dict) else ""
        return f"a list of {len(value)} rows{inner}"
    if isinstance(value, dict):
        lists = [f"{_named(k)}: {len(v)} rows" for k, v in value.items() if isinstance(v, list)]
        return "; ".join([f"an object of {_fields(value)}", *lists[:SHOWN]])
    return "a single value"


def _fields(row: Mapping[str, object]) -> str:
    names = [_named(name) for name in list(row)[:SHOWN]]
    more = f" and {len(row) - SHOWN} more" if len(row) > SHOWN else ""
    return f"{', '.join(names)}{more}" if names else "nothing"


def _named(name: str) -> str:
    """A field's name; what does not look like one could be content."""
    return name if NAME.fullmatch(name) else "…"
