"""What can go wrong between us and an exchange, and what the user should do about it.

ExchangeError
├── Temporary (retry = True)
│   ├── Unreachable       no connection, time-out, reset, cut or unreadable body from a gateway
│   │   └── Resting       not asked at all: its host failed again and again and is left alone for a while (no retry)
│   ├── RateLimited       429 or the exchange's own code; `retry_after` in seconds where it said so
│   ├── ExchangeFault     5xx, maintenance
│   └── NonceRejected     the key's counter is behind: drawn afresh and tried again
├── KeyProblem (retry = False, stops the connection until the user acts)
│   ├── KeyRejected       401: key or secret wrong, revoked, not confirmed, or bound to another address
│   ├── MissingRight      403: the key lacks a right that reading needs
│   └── ClockSkewed       our clock is too far from the exchange's
├── NotOffered            404: this endpoint is not there; an answer, never a failed sync
├── BadRequest            400 and other refusals of a single call
├── Hostile               an answer that we refuse: too large, redirect, not JSON, duplicate keys
│   ├── TooSlow           it began and did not end within its deadline
│   └── TooMuch           more rows or values than one answer may have
├── Refused               our own guard: path not on the allow-list, host not allowed
└── Closed                the exchange has closed for good

Texts never hold a key, a header or an address with a query. `advice` is one sentence for the user.
"""

from __future__ import annotations


class ExchangeError(Exception):
    """Root of all that can go wrong when an exchange is asked."""

    retry = False
    code = "error"
    advice = "Look at the connection's last runs; if it stays so, report it with the text shown there."

    def __init__(self, message: str = "", *, said: str = "") -> None:
        """`said` is the exchange's own text: cut to 200 characters, without control characters."""
        self.said = "".join(c for c in said[:1000] if c.isprintable())[:200]
        super().__init__(message or self.advice)

    @property
    def sentence(self) -> str:
        """What happened, in one line that is safe to show."""
        return f"{self} The exchange said: {self.said}" if self.said else str(self)


class Temporary(ExchangeError):
    """May succeed when tried again later."""

    retry = True
    code = "temporary"
    retry_after: float | None = None


class Unreachable(Temporary):
    """No answer came, or not a whole one."""

    code = "unreachable"
    unresolved = False
    """Whether the host's name itself is unknown: the mark of an exchange that is gone."""
    advice = (
        "The exchange could not be reached. It is tried again by itself; check your network if it stays so."
    )


class Resting(Unreachable):
    """No call was made: the host failed so often that it is left alone until `retry_after` seconds from now."""

    retry = False
    code = "resting"
    advice = "Nothing needs to be done. One call tries again by itself; check your network if it stays so."

    def __init__(self, message: str = "", *, retry_after: float, unresolved: bool = False) -> None:
        """`unresolved`: its name was not known on the network when it failed last."""
        super().__init__(message or "The exchange does not answer. It is asked again after a pause.")
        self.retry_after = retry_after
        self.unresolved = unresolved


class RateLimited(Temporary):
    """The exchange asked us to slow down."""

    code = "rate_limited"
    advice = "The exchange asked for a pause. Reading goes on by itself after it."

    def __init__(self, message: str = "", *, said: str = "", retry_after: float | None = None) -> None:
        """`retry_after`: seconds to wait, where the exchange said so."""
        super().__init__(message, said=said)
        self.retry_after = retry_after


class ExchangeFault(Temporary):
    """The exchange had an error of its own."""

    code = "exchange_fault"
    advice = "The exchange has a problem of its own. It is tried again by itself."

    def __init__(self, message: str = "", *, said: str = "", retry_after: float | None = None) -> None:
        """`retry_after`: seconds to wait, where the exchange said so."""
        super().__init__(message, said=said)
        self.retry_after = retry_after


class NonceRejected(Temporary):
    """The exchange has seen a higher counter from this key."""

    code = "nonce_rejected"
    advice = "Another program uses the same key. Make a key for Holdfast alone and replace this one."


class KeyProblem(ExchangeError):
    """Reading stops until the user acts."""

    code = "key_problem"


class KeyRejected(KeyProblem):
    """The exchange does not accept the key or the signature."""

    code = "key_rejected"
    advice = (
        "The exchange does not accept this key. Check key and secret, or make a new key and replace this one."
    )


class MissingRight(KeyProblem):
    """The key may not read what reading needs."""

    code = "missing_right"
    advice = "The key lacks a right that reading needs. Make a key with the rights named in the guide."


class ClockSkewed(KeyProblem):
    """Our clock and the exchange's differ by more than the exchange allows."""

    code = "clock_skewed"
    advice = "This computer's clock is wrong. Set it (time synchronisation), then check the connection again."


class NotOffered(ExchangeError):
    """The endpoint does not exist there: an answer that is remembered."""

    code = "not_offered"
    advice = "The exchange does not offer this. Nothing needs to be done."


class BadRequest(ExchangeError):
    """The exchange refused this one call."""

    code = "bad_request"


class Hostile(ExchangeError):
    """An answer that we refuse to take in."""

    code = "hostile"
    advice = (
        "The exchange's answer was not usable and nothing of it was kept. It is tried again at the next run."
    )


class TooSlow(Hostile):
    """An answer that began and did not end in time."""


class TooMuch(Hostile):
    """An answer with more rows or values than one answer may have: asked for in parts it may be usable."""


class Refused(ExchangeError):
    """Our own guard stopped the call before it was made."""

    code = "refused"


class Closed(ExchangeError):
    """The exchange has closed for good; what was read stays."""

    code = "closed"
    advice = "This exchange has closed. What was read from it stays here."
