"""The ECB's rates: exact, as old as they are, refreshed at most daily and never at the cost of the last good file."""

from __future__ import annotations

import zipfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import httpx2
import pytest

from portfolio.sync.ecb import ReferenceRates

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
URL = "http://127.0.0.1/eurofxref-hist.zip"
TABLE = "Date,USD,GBP,\n2026-11-20,1.1000,0.8800,\n2026-11-19,1.2000,N/A,\n2026-11-18,1.1500,0.8700,\n"


def packed(text: str = TABLE) -> bytes:
    """The table as the ECB packs it."""
    body = BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("eurofxref-hist.csv", text)
    return body.getvalue()


def answering(*answers: httpx2.Response, asked: list[str]) -> httpx2.Client:
    """A network in which the ECB gives these answers, one after the other."""
    waiting = iter(answers)

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.method)
        return next(waiting)

    return httpx2.Client(transport=httpx2.MockTransport(answer))


def test_the_rates_that_come_with_the_package_serve_without_a_network(tmp_path: Path) -> None:
    rates = ReferenceRates(tmp_path)
    [found] = rates.quotes([], date(2020, 1, 3), date(2020, 1, 3))
    assert (found.base, found.counter, found.price) == ("EUR", "USD", Decimal("1.1147"))
    assert not rates.refresh(NOW).asked


def test_a_day_without_rates_has_none(tmp_path: Path) -> None:
    assert list(ReferenceRates(tmp_path).quotes(["GBP"], date(2020, 1, 4), date(2020, 1, 5))) == []


def test_the_file_is_fetched_once_a_day_and_read(tmp_path: Path) -> None:
    asked: list[str] = []
    client = answering(*[httpx2.Response(200, content=packed())] * 2, asked=asked)
    rates = ReferenceRates(tmp_path, URL, client)
    assert rates.refresh(NOW).error == "" and not rates.refresh(NOW + timedelta(hours=23)).asked
    assert rates.refresh(NOW + timedelta(hours=24)).asked and asked == ["GET", "GET"]
    assert rates.newest == date(2026, 11, 20)
    got = [(q.counter, q.price) for q in rates.quotes(["GBP"], date(2026, 11, 19), date(2026, 11, 20))]
    assert got == [("GBP", Decimal("0.88")), ("USD", Decimal("1.2")), ("USD", Decimal("1.1"))]


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(500),
        httpx2.Response(302, headers={"location": "http://127.0.0.1/other"}),
        httpx2.Response(200, content=b"<html>"),
        httpx2.Response(200, content=packed("nothing,of,use\n")),
        httpx2.Response(200, content=packed("x" * 17 * 2**20)),
        httpx2.Response(200, content=b"0" * 5 * 2**20),
    ],
    ids=["error", "redirect", "page", "other table", "bomb", "too large"],
)
def test_an_answer_of_no_use_leaves_the_last_good_file_and_says_how_old_it_is(
    tmp_path: Path, answer: httpx2.Response
) -> None:
    asked: list[str] = []
    good = httpx2.Response(200, content=packed())
    rates = ReferenceRates(tmp_path, URL, answering(good, answer, good, asked=asked))
    rates.refresh(NOW)
    tomorrow = NOW + timedelta(days=1)
    assert "2026-11-20 serve" in rates.refresh(tomorrow).error and rates.newest == date(2026, 11, 20)
    assert not rates.refresh(tomorrow + timedelta(minutes=59)).asked
    assert rates.refresh(tomorrow + timedelta(minutes=61)).error == ""
