"""CoinGecko: off by default, asked by GET for mapped assets only, its midnights closes of the day before."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from exchanges.errors import ExchangeError
from portfolio.sync.coingecko import CoinGecko
from portfolio.sync.quotes import public_sources
from tests.exchanges.clocks import VirtualClock

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
PATH = "/api/v3/coins/bitcoin/market_chart/range"


def asking(server: HTTPServer, key: str = "") -> CoinGecko:
    """The source at a server of this computer."""
    return CoinGecko(server.url_for("").rstrip("/"), key=key, clock=VirtualClock(NOW))


def points(*told: tuple[datetime, str]) -> dict[str, list[list[float]]]:
    """An answer with these prices."""
    return {"prices": [[at.timestamp() * 1000, float(price)] for at, price in told]}


def test_it_is_off_unless_it_is_switched_on(settings: object) -> None:
    assert "CoinGecko" not in public_sources()
    settings.COINGECKO = True  # type: ignore[attr-defined]
    assert "CoinGecko" in public_sources()


def test_midnight_is_the_close_of_the_day_before(httpserver: HTTPServer) -> None:
    midnight, noon = datetime(2026, 3, 9, tzinfo=UTC), datetime(2026, 3, 9, 12, tzinfo=UTC)
    httpserver.expect_request(PATH, method="GET").respond_with_json(
        points((noon, "61000.25"), (midnight, "60000.5"))
    )
    found = list(asking(httpserver).candles("BTC", date(2026, 3, 8), date(2026, 3, 10)))
    assert [(candle.day, candle.close) for candle in found] == [
        (date(2026, 3, 8), Decimal("60000.5")),
        (date(2026, 3, 9), Decimal("61000.25")),
    ]


def test_the_span_and_the_key_are_sent_as_documented(httpserver: HTTPServer) -> None:
    query = {"vs_currency": "usd", "from": "1772928000", "to": "1773014460"}
    said = {"x-cg-demo-api-key": "free"}
    httpserver.expect_request(PATH, query_string=query, headers=said).respond_with_json(points())
    assert list(asking(httpserver, "free").candles("BTC", date(2026, 3, 8), date(2026, 3, 8))) == []
    httpserver.check_assertions()


def test_what_is_not_mapped_is_not_asked_for(httpserver: HTTPServer) -> None:
    assert list(asking(httpserver).candles("../../x", date(2026, 3, 8), date(2026, 3, 9))) == []
    assert list(asking(httpserver).quotes(["BTC"])) == []
    assert httpserver.log == []


@pytest.mark.parametrize(
    "row", [None, [], [1, 2, 3], ["x", "y"], [1773014400000, "NaN"], [1773014400000, -1], {"a": 1}]
)
def test_a_point_that_cannot_be_read_is_none(httpserver: HTTPServer, row: object) -> None:
    httpserver.expect_request(PATH).respond_with_json({"prices": [row]})
    assert list(asking(httpserver).candles("BTC", date(2026, 3, 1), date(2026, 3, 9))) == []


@pytest.mark.parametrize("status", [404, 400])
def test_a_coin_that_it_does_not_know_has_no_prices(httpserver: HTTPServer, status: int) -> None:
    httpserver.expect_request(PATH).respond_with_data("{}", status=status, content_type="application/json")
    assert list(asking(httpserver).candles("BTC", date(2026, 3, 1), date(2026, 3, 9))) == []


def test_a_redirect_is_not_followed(httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_response(
        Response(status=302, headers={"Location": "/elsewhere"})
    )
    with pytest.raises(ExchangeError):
        list(asking(httpserver).candles("BTC", date(2026, 3, 1), date(2026, 3, 9)))
    assert {request.path for request, _ in httpserver.log} == {PATH}
