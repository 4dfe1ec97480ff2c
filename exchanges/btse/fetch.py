"""What is asked of BTSE with a key: a check of the key, the wallet, and the two streams of its ledger.

Knows paths and parameters; what a row means is `normalise`'s, how a stream is walked is its own module's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta

from exchanges import wire
from exchanges.btse import paths, sign
from exchanges.btse.fills import TRADES, read_fills
from exchanges.btse.history import HISTORY, read_history
from exchanges.btse.judge import judge
from exchanges.btse.rows import listed
from exchanges.btse.windows import millis
from exchanges.connector import Facts, KeyReport, NonceSource, Page, Progress
from exchanges.errors import ExchangeError, KeyProblem, NotOffered, RateLimited, Temporary
from exchanges.line import Line
from exchanges.records import Raw, Unreadable

BALANCES = "balances"
EVERYTHING = "all"
"""The scope of a record that names all that is held: what it leaves out is zero."""
SKEW_LIMIT = 30.0
"""BTSE does not say how far a nonce may be from its own time; a rejected key is blamed on the clock from here on."""

TOO_WIDE = (
    "BTSE let this key ask for a deposit address, which takes the right Wallet. "
    "Reading needs Read alone: make a key with only that right and replace this one."
)


class BtseConnector:
    """One BTSE account, read-only."""

    streams: Sequence[str] = (HISTORY, TRADES)

    def __init__(self, line: Line, *, key: str, secret: str, nonce: NonceSource, facts: Facts) -> None:
        """`facts` are not needed: nothing about a BTSE key has to be remembered."""
        self._clock = line.clock
        self._ahead: timedelta | None = None

        def headers(path: str) -> Mapping[str, str]:
            drawn = nonce(millis(line.clock.now()))
            return sign.headers(key=key, secret=secret, path=path, nonce=drawn)

        self._signed = line.transport(
            allowed=paths.SIGNED, judge=judge, sign=headers, prefix=paths.PREFIX, skew_limit=SKEW_LIMIT
        )
        self._open = line.transport(allowed=paths.OPEN, judge=judge, prefix=paths.PREFIX)

    def skew(self) -> float | None:
        """Exchange's clock minus ours, in seconds."""
        if self._ahead is not None:
            return self._ahead.total_seconds()
        return self._signed.skew if self._signed.skew is not None else self._open.skew

    def check(self) -> KeyReport:
        """Read the wallet; then see whether the key may do more than it should, which never fails the check."""
        listed(self._signed.get(paths.WALLET).value)
        evidence = ["Read: the wallet was read."]
        warnings = []
        try:
            query = {"currency": "BTC", "network": self._network()}
            self._signed.get(paths.ADDRESS, query, attempts=1)
            warnings.append(TOO_WIDE)
            evidence.append("Wallet: a deposit address was shown.")
        except (KeyProblem, NotOffered):
            evidence.append("Wallet: not granted, a deposit address was refused.")
        except Temporary:
            evidence.append("Wallet: not known, BTSE did not answer.")
        except ExchangeError:
            warnings.append(TOO_WIDE)
            evidence.append("Wallet: the question for a deposit address got past the check of rights.")
        evidence.append("Trading, Transfer, Withdraw: not known, BTSE has no harmless way to ask.")
        return KeyReport(warnings=tuple(warnings), evidence=tuple(evidence))

    def currencies(self, action: str) -> tuple[str, ...]:
        """What can be used for CONVERT, WITHDRAW or SEND, in our names; what cannot be read is left out."""
        found = []
        for name in listed(self._signed.get(paths.CURRENCIES, {"action": action}).value):
            with suppress(ValueError):
                found.append(wire.asset(name))
        return tuple(found)

    def _network(self) -> str:
        """A network's name as BTSE spells it today."""
        try:
            answer = self._open.get(paths.NETWORKS, {"currency": "BTC"}, attempts=1)
            return wire.text(listed(answer.value)[0], 60) or "Bitcoin"
        except (ExchangeError, ValueError, IndexError):
            return "Bitcoin"

    def balances(self, progress: Progress) -> Iterator[Page]:
        """The spot wallet as one record; where a row cannot be read, the others one by one, as an incomplete list."""
        rows = listed(self._signed.get(paths.WALLET).value)
        raws: dict[str, Raw] = {}
        held: dict[str, wire.Value] = {}
        unreadable: list[Unreadable] = []
        for row in rows:
            try:
                raw = _holding(row)
            except ValueError as error:
                unreadable.append(wire.unreadable(BALANCES, row, str(error)))
                continue
            if raw is None:
                continue
            if raws.setdefault(raw.source_id, raw).digest == raw.digest:
                held[raw.source_id] = row
                continue
            reason = "an asset is listed twice with different amounts"
            unreadable.append(wire.unreadable(BALANCES, row, reason, raw.source_id))
        whole = wire.record(BALANCES, EVERYTHING, [held[asset] for asset in sorted(held)])
        yield Page(
            stream=BALANCES,
            raws=tuple(raws.values()) if unreadable else (whole,),
            unreadable=tuple(unreadable),
            cursor=progress.cursor,
            complete=not unreadable,
            sent=len(rows),
        )

    def read(self, stream: str, progress: Progress) -> Iterator[Page]:
        """The rows of "wallet_history" or "trades", newest first, down to the beginning."""
        if stream not in self.streams:
            raise ValueError(f"BTSE has no stream {stream}.")
        if progress.cursor.get("not_offered") and not progress.full:
            yield Page(stream=stream, cursor=progress.cursor, not_offered=True)
        elif stream == HISTORY:
            yield from read_history(self._signed, progress, self._exchange_now())
        else:
            yield from read_fills(self._signed, self._open, progress, self._exchange_now())

    def _exchange_now(self) -> int:
        """The exchange's own time, by which its rows are dated; ours where it does not tell."""
        if self._ahead is None:
            self._ahead = self._measured()
        return millis(self._clock.now() + self._ahead)

    def _measured(self) -> timedelta:
        before = self._clock.now()
        try:
            told = wire.fields(self._open.get(paths.TIME, attempts=1).value)
            now = wire.moment(wire.first(told, ("iso", "epoch")))
        except RateLimited:  # who is told to wait does not go on with another call
            raise
        except (ExchangeError, ValueError):  # an extra: the history can be read without it
            return timedelta(seconds=self.skew() or 0.0)
        return now - before - (self._clock.now() - before) / 2


def _holding(row: wire.Value) -> Raw | None:
    """A row of the wallet as kept, or None for one of zero."""
    found = wire.fields(row)
    asset = wire.asset(found.get("currency"))
    if not wire.amount(found.get("total")) and not wire.amount(found.get("available", "0")):
        return None
    return wire.record(BALANCES, asset, found)
