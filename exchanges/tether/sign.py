"""How a request to Tether.to is signed: the three ages of one scheme, newest first.

Pure: key, secret, path and time go in, headers come out. Knows no network and no clock.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from enum import StrEnum

CONTENT_TYPE = "application/json"
EMPTY_MD5 = base64.b64encode(hashlib.md5(b"", usedforsecurity=False).digest()).decode()


class Form(StrEnum):
    """Which canonical string is signed; the order is the one in which they are tried."""

    VERB = "C"
    """Verb, empty Content-MD5: the current Knowledge Base."""
    VERB_MD5 = "B"
    """Verb, MD5 of the empty body: the page before it."""
    MD5 = "A"
    """No verb, MD5 of the empty body: the reference of 2015."""


def canonical(form: Form, path: str, date: str) -> str:
    """The text that is signed for a GET of `path` (no query ever) sent at `date`."""
    md5 = "" if form is Form.VERB else EMPTY_MD5
    fields = (CONTENT_TYPE, md5, path, date)
    return ",".join(fields if form is Form.MD5 else ("GET", *fields))


def signature(form: Form, secret: str, path: str, date: str) -> str:
    """Base64 of HMAC-SHA1; the secret is used as the text that the user was shown, not decoded."""
    digest = hmac.new(secret.encode(), canonical(form, path, date).encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def headers(form: Form, *, key: str, secret: str, path: str, at: datetime) -> Mapping[str, str]:
    """All headers of one signed GET of `path` at the aware UTC time `at`."""
    date = format_datetime(at, usegmt=True)
    return {
        "Authorization": f"APIAuth {key}:{signature(form, secret, path, date)}",
        "Content-MD5": "" if form is Form.VERB else EMPTY_MD5,
        "Content-Type": CONTENT_TYPE,
        "Date": date,
    }
