"""How a request to Tokens.net is signed: HMAC-SHA256 over nonce and key, nothing of the request itself.

Pure: key, secret and nonce go in, headers come out. Who draws the nonce is not known here.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

TICKS_PER_SECOND = 10**7
"""The official client counts in 10^-7 s (17 digits). A key once used so refuses every shorter nonce for ever."""


def signature(*, key: str, secret: str, nonce: int) -> str:
    """Upper-case hexadecimal HMAC-SHA256 of nonce + key."""
    return hmac.new(secret.encode(), f"{nonce}{key}".encode(), hashlib.sha256).hexdigest().upper()


def headers(*, key: str, secret: str, nonce: int) -> Mapping[str, str]:
    """The three headers of one private request."""
    return {"key": key, "nonce": str(nonce), "signature": signature(key=key, secret=secret, nonce=nonce)}


def ticks(at: datetime) -> int:
    """The lowest nonce that may be drawn at `at`: Unix time in 10^-7 s, counted in whole microseconds."""
    return int(at.timestamp()) * TICKS_PER_SECOND + at.microsecond * 10
