"""How the tests ask the sandbox: requests signed here once more, straight from the documents."""

from __future__ import annotations

import hmac
from base64 import b64encode
from datetime import UTC, datetime
from email.utils import format_datetime

import httpx2

from exchanges.sandbox.web import Exchange

NOW = datetime(2026, 8, 13, 12, 0, tzinfo=UTC)
KEY, SECRET = "a-key", "a-secret"


def ask(
    app: object, path: str, *, headers: dict[str, str] | None = None, method: str = "GET"
) -> httpx2.Response:
    """One request through the application, without a socket."""
    transport = httpx2.WSGITransport(app=app)  # type: ignore[arg-type]
    with httpx2.Client(transport=transport, base_url="http://sandbox.test") as client:
        return client.request(method, path, headers=headers)


def btse_headers(
    path: str, nonce: int, *, key: str = KEY, secret: str = SECRET, family: str = "request"
) -> dict[str, str]:
    """The query and the product are not signed."""
    signed = path.partition("?")[0].removeprefix("/spot")
    sign = hmac.new(secret.encode(), f"{signed}{nonce}".encode(), "sha384").hexdigest()
    return {f"{family}-api": key, f"{family}-nonce": str(nonce), f"{family}-sign": sign}


def tether_headers(
    path: str, *, at: datetime = NOW, form: str = "C", key: str = KEY, secret: str = SECRET
) -> dict[str, str]:
    """Forms A and B carry the digest of an empty body, C an empty text."""
    date, kind, digest = format_datetime(at, usegmt=True), "application/json", "1B2M2Y8AsgTpgAmY7PhCfg=="
    text = {
        "A": f"{kind},{digest},{path},{date}",
        "B": f"GET,{kind},{digest},{path},{date}",
        "C": f"GET,{kind},,{path},{date}",
    }[form]
    sign = b64encode(hmac.digest(secret.encode(), text.encode(), "sha1")).decode()
    sent = {"Authorization": f"APIAuth {key}:{sign}", "Date": date, "Content-Type": kind}
    return sent if form == "C" else {**sent, "Content-MD5": digest}


def tokens_headers(nonce: int, *, key: str = KEY, secret: str = SECRET) -> dict[str, str]:
    """Nonce and key, nothing else."""
    sign = hmac.new(secret.encode(), f"{nonce}{key}".encode(), "sha256").hexdigest().upper()
    return {"key": key, "nonce": str(nonce), "signature": sign}


class Asker:
    """Asks one exchange again and again with rising nonces."""

    def __init__(self, app: object, name: str, *, now: datetime = NOW) -> None:
        self.app, self.name, self.now, self.nonce = app, name, now, int(now.timestamp() * 1000)

    def __call__(self, path: str) -> httpx2.Response:
        self.nonce += 1
        headers = {
            "btse": lambda: btse_headers(path, self.nonce),
            "tether": lambda: tether_headers(path, at=self.now),
            "tokens_net": lambda: tokens_headers(self.nonce),
        }[self.name]()
        return ask(self.app, path, headers=headers)


def statuses(app: Exchange) -> list[int]:
    """How the exchange answered, in order."""
    return [asked.status for asked in app.log]
