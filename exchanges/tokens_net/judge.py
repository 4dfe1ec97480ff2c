"""What an error of Tokens.net means, whether it comes with HTTP 200 or with a status of its own.

Pure. Codes: the exchange's page lists 100-160 and 429; 122-124, 151, 152, 161 and 503 are known from clients.
"""

from __future__ import annotations

from collections.abc import Mapping

from exchanges import wire
from exchanges.errors import (
    BadRequest,
    ExchangeError,
    ExchangeFault,
    KeyRejected,
    MissingRight,
    NonceRejected,
    NotOffered,
    RateLimited,
)

_ERRORS: dict[str, tuple[type[ExchangeError], str]] = {
    "100": (BadRequest, "The key did not arrive at the exchange; something on the way removes it."),
    "101": (BadRequest, "The counter did not arrive at the exchange; something on the way removes it."),
    "102": (BadRequest, "The signature did not arrive at the exchange; something on the way removes it."),
    "110": (BadRequest, "The exchange did not understand the counter."),
    "111": (NonceRejected, ""),
    "120": (KeyRejected, "Tokens.net does not know this key. Check it, or make a new one and replace it."),
    "121": (KeyRejected, "The secret does not belong to this key. Copy both again and replace the key."),
    "122": (MissingRight, "Tokens.net does not let this key read. Make a new key and replace this one."),
    "123": (KeyRejected, "The key is bound to another address. Add this computer's address at Tokens.net."),
    "124": (KeyRejected, "The key is not confirmed. Follow the link in the e-mail from Tokens.net."),
    "130": (NotOffered, "Tokens.net does not know this trading pair."),
    "131": (NotOffered, "Tokens.net does not know this order."),
    "160": (NotOffered, "Tokens.net does not know this currency."),
    "429": (RateLimited, ""),
    "503": (ExchangeFault, "Tokens.net is under maintenance. It is tried again by itself."),
}
"""What is not known is asked for by name: to the caller an unknown pair, order or currency is not there."""


def judge(status: int, value: wire.Value, headers: Mapping[str, str]) -> None:
    """Raise what the answer's own error says; an answer without one passes."""
    if not isinstance(value, dict):
        return
    code = wire.word(value.get("errorCode"))
    if not code and wire.word(value.get("status")) != "error":
        return
    if not code and not 200 <= status < 300:
        return  # the status says more
    kind, text = _ERRORS.get(code, (BadRequest, f"Tokens.net refused this call (error {code or 'unnamed'})."))
    reason = value.get("reason")
    raise kind(text, said=reason if isinstance(reason, str) else "")
