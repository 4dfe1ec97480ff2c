"""What BTSE means by a refusal: one of four envelopes, with any HTTP status, 200 among them.

Pure. Which statuses and codes are known, and from where: docs/exchanges/btse.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from exchanges import wire
from exchanges.errors import (
    BadRequest,
    ExchangeError,
    ExchangeFault,
    KeyRejected,
    MissingRight,
    NonceRejected,
    RateLimited,
)
from exchanges.replies import judge_status

_BY_CODE: dict[str, type[ExchangeError]] = {
    "10002": KeyRejected,
    "-7": KeyRejected,
    "-2": BadRequest,
    "-11": ExchangeFault,
    "303": RateLimited,
    "429": RateLimited,
}
_BY_WORDS: tuple[tuple[tuple[str, ...], type[ExchangeError]], ...] = (
    (("nonce",), NonceRejected),
    (("permission", "not permitted", "insufficient privilege", "forbidden"), MissingRight),
    (("rate limit", "too many request", "too frequent"), RateLimited),
    (("authenticat", "unauthorized", "api key", "apikey", "signature", "api parameter"), KeyRejected),
)


def judge(status: int, value: wire.Value, headers: Mapping[str, str]) -> None:
    """Raise what a refusal means; return where the answer is none."""
    if not isinstance(value, dict) or not (_is_refusal(value) or status >= 400):
        return
    said = _said(value)
    error = _by_envelope(value, said, status)
    if error is None:
        inner = _number(value.get("status"))
        try:
            judge_status(status if status > 400 else inner if 400 <= inner < 600 else 400)
        except ExchangeError as plain:
            error = type(plain)
    raise (error or BadRequest)(said=said)


def _is_refusal(value: Mapping[str, wire.Value]) -> bool:
    """HTTP 200 is no proof of success: the envelope itself says whether the call failed."""
    if value.get("success") is False or value.get("error"):
        return True
    if value.get("errorCode") not in (None, Decimal(0)) or _number(value.get("status")) >= 400:
        return True
    if wire.word(value.get("status")) == "error":
        return True
    bare = "data" not in value and ("msg" in value or "message" in value)
    return bare and value.get("success") is not True and _number(value.get("code")) not in (0, 1, 200)


def _by_envelope(value: Mapping[str, wire.Value], said: str, status: int) -> type[ExchangeError] | None:
    """The exchange's own code, then its words; a server's fault and a missing page need neither."""
    codes = [str(value[name]) for name in ("code", "errorCode") if value.get(name) is not None]
    found = next((_BY_CODE[code] for code in codes if code in _BY_CODE), None)
    if status in (404, 429) or status >= 500:
        return None
    lower = said.lower()
    by_words = next((error for words, error in _BY_WORDS if any(w in lower for w in words)), None)
    return by_words if found in (None, KeyRejected, BadRequest) and by_words else found


def _said(value: Mapping[str, wire.Value]) -> str:
    found = wire.first(value, ("msg", "message", "error"))
    return found if isinstance(found, str) else ""


def _number(value: wire.Value) -> int:
    """A small whole number, or 0."""
    written = str(value) if isinstance(value, str | Decimal) else ""
    return int(written) if written.isascii() and written.isdigit() and len(written) < 10 else 0
