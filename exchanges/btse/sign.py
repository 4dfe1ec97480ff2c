"""How a request to BTSE is signed: HMAC-SHA384 over path and nonce, never over the query.

Pure: key, secret, path and nonce go in, headers come out. Knows no network and no clock.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

FAMILIES = ("request", "btse")
"""BTSE renamed its headers in 2023; both families are sent with the same values."""


def signature(secret: str, path: str, nonce: int) -> str:
    """Lower-case hex; `path` is without product prefix (`/spot`) and without query, a GET has no body."""
    return hmac.new(secret.encode(), f"{path}{nonce}".encode(), hashlib.sha384).hexdigest()


def headers(*, key: str, secret: str, path: str, nonce: int) -> Mapping[str, str]:
    """All headers of one signed GET of `path`."""
    values = {"api": key, "nonce": str(nonce), "sign": signature(secret, path, nonce)}
    return {f"{family}-{name}": value for family in FAMILIES for name, value in values.items()}
