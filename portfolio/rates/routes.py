"""Chooses the route from an asset to USD among quotes, and says what it came to. Pure: knows no store and no clock.

Rules (docs/valuation.md tells them with examples):
1. USD is 1 by definition. Nothing else is: USDT has its market price like any other asset.
2. A pair may be read both ways. Of several quotes of one pair the newest counts; between two fiat currencies the
   ECB's counts before any exchange's.
3. A quote older than two days (between fiat currencies: five calendar days) is no price.
4. Routes: direct, over USDT, over BTC, over EUR. The first of these that is fresh (every quote at most an hour old,
   the ECB's as long as it counts) wins; when none is fresh, the one whose oldest quote is youngest.
5. The age of a price is that of its oldest quote.
6. For the closes of days an order of sources may be set for an asset: the first that has a quote that counts is heard.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from portfolio.fields import DIGITS, PLACES

USD = "USD"
ECB = "ECB"
HUBS = ("USDT", "BTC", "EUR")
"""Where routes may lead through, in the order of preference."""
FIAT = frozenset(
    [
        "USD",
        "EUR",
        "AUD",
        "BGN",
        "BRL",
        "CAD",
        "CHF",
        "CNY",
        "CZK",
        "DKK",
        "GBP",
        "HKD",
        "HRK",
        "HUF",
        "IDR",
        "ILS",
        "INR",
        "ISK",
        "JPY",
        "KRW",
        "MXN",
        "MYR",
        "NOK",
        "NZD",
        "PHP",
        "PLN",
        "RON",
        "RUB",
        "SEK",
        "SGD",
        "THB",
        "TRY",
        "ZAR",
    ]
)
OLDEST = timedelta(days=2)
OLDEST_FIAT_DAYS = 5
FRESH = timedelta(hours=1)
_SMALLEST = Decimal(1).scaleb(-PLACES)
_TOO_LARGE = Decimal(1).scaleb(DIGITS - PLACES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """What one `base` cost in `counter`; `pk` is its row, where it has one."""

    base: str
    counter: str
    price: Decimal
    source: str
    at: datetime
    pk: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one unit of an asset is worth in USD, cut to 18 places; `at` is the time of the oldest quote used."""

    asset: str
    usd: Decimal
    source: str
    route: tuple[str, ...]
    at: datetime
    legs: tuple[int, ...] = ()
    """The rows of the quotes used, in the order of the route."""

    def age(self, now: datetime) -> timedelta:
        """How old its oldest quote is."""
        return now - self.at


Pair = tuple[str, str]
Market = Mapping[Pair, Iterable[Quoted]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leg:
    """One step of a route: multiply by `times`, divide by `by`."""

    times: Decimal
    by: Decimal
    to: str
    quote: Quoted


def closing_time(day: date) -> datetime:
    """The moment of a UTC day at which its prices are taken: its last second."""
    return datetime.combine(day, time(23, 59, 59), tzinfo=UTC)


def nodes(assets: Iterable[str]) -> frozenset[str]:
    """All names between which quotes can matter for the prices of `assets`."""
    return frozenset(assets) | {USD, *HUBS}


def market(quotes: Iterable[Quoted]) -> dict[Pair, list[Quoted]]:
    """The quotes by pair."""
    by_pair: dict[Pair, list[Quoted]] = {}
    for quote in quotes:
        by_pair.setdefault((quote.base, quote.counter), []).append(quote)
    return by_pair


def prices(assets: Iterable[str], quotes: Iterable[Quoted], now: datetime) -> dict[str, Price]:
    """The price of each asset that has one."""
    by_pair = market(quotes)
    found = {asset: price(asset, by_pair, now) for asset in assets}
    return {asset: known for asset, known in found.items() if known is not None}


def price(asset: str, quotes: Market, now: datetime) -> Price | None:
    """The best price of one asset at `now`, or None where no route leads to USD."""
    if asset == USD:
        return Price(asset=USD, usd=Decimal(1), source="definition", route=(USD,), at=now)
    routes: list[list[_Leg]] = []
    for route in _routes(asset, quotes, now):
        if asset not in FIAT and all(_fresh(leg.quote, now) for leg in route):
            return _followed(asset, route)  # none that follows can win over the first fresh one
        routes.append(route)
    if not routes:
        return None
    order = {id(route): place for place, route in enumerate(routes)}

    def merit(route: list[_Leg]) -> tuple[bool, bool, float, int]:
        by_ecb = all(leg.quote.source == ECB for leg in route)
        stale = not all(_fresh(leg.quote, now) for leg in route)
        oldest = min(leg.quote.at for leg in route)
        waiting = (now - oldest).total_seconds() if stale else 0.0
        return (asset in FIAT and not by_ecb, stale, waiting, order[id(route)])

    return _followed(asset, min(routes, key=merit))


def walk(
    assets: Iterable[str],
    quotes: Iterable[Quoted],
    days: Iterable[date],
    now: datetime,
    order: Mapping[str, Sequence[str]] | None = None,
) -> Iterator[tuple[date, dict[str, Price]]]:
    """The prices at the end of each of the ascending `days` (of a day that is not over: at `now`).

    `quotes` ascend by time; those before the first day serve as what is carried forward. `order` names, for some
    assets, the sources that come first as long as they have a quote that counts.
    """
    wanted = list(days)
    moments = (min(closing_time(day), now) for day in wanted)
    yield from zip(wanted, walk_moments(assets, quotes, moments, order), strict=True)


def walk_moments(
    assets: Iterable[str],
    quotes: Iterable[Quoted],
    moments: Iterable[datetime],
    order: Mapping[str, Sequence[str]] | None = None,
) -> Iterator[dict[str, Price]]:
    """The prices at each of these ascending moments."""
    waiting = iter(quotes)
    coming = next(waiting, None)
    newest: dict[Pair, dict[str, Quoted]] = {}
    names = list(assets)
    for moment in moments:
        while coming is not None and coming.at <= moment:
            newest.setdefault((coming.base, coming.counter), {})[coming.source] = coming
            coming = next(waiting, None)
        view = {pair: by_source.values() for pair, by_source in newest.items()}
        wanted = order or {}
        known = {
            asset: price(asset, preferred(asset, view, wanted.get(asset, ()), moment), moment)
            for asset in names
        }
        yield {asset: found for asset, found in known.items() if found is not None}


def preferred(asset: str, quotes: Market, order: Sequence[str], now: datetime) -> Market:
    """The market in which only the first of these sources that has any quote of the asset is heard about it."""
    if not order:
        return quotes
    about = {pair: list(quotes[pair]) for pair in quotes if asset in pair}
    for source in order:
        heard = {
            pair: [q for q in said if _by(q) == source and counts(q, _is_fiat(pair), now)]
            for pair, said in about.items()
        }
        if any(heard.values()):
            return {**quotes, **heard}
    return quotes


def _by(quote: Quoted) -> str:
    """Who said it, whether as a quote or as the close of a day."""
    return quote.source.removesuffix(" close")


def _is_fiat(pair: Pair) -> bool:
    return pair[0] in FIAT and pair[1] in FIAT


def cut(amount: Decimal) -> Decimal | None:
    """The amount as it is stored: 18 places, half to even; None where it is nothing or larger than can be true."""
    if not 0 < amount < _TOO_LARGE:
        return None
    return amount.quantize(_SMALLEST, rounding=ROUND_HALF_EVEN) or None


def _routes(asset: str, quotes: Market, now: datetime) -> Iterator[list[_Leg]]:
    direct = _leg(asset, USD, quotes, now)
    if direct:
        yield [direct]
    for hub in HUBS:
        first = _leg(asset, hub, quotes, now) if hub != asset else None
        if first:
            onward = _leg(hub, USD, quotes, now)
            if onward:
                yield [first, onward]
            elif hub == "BTC":
                # Where BTC itself is only quoted in USDT.
                middle, last = _leg(hub, "USDT", quotes, now), _leg("USDT", USD, quotes, now)
                if middle and last and asset != "USDT":
                    yield [first, middle, last]


def _leg(start: str, to: str, quotes: Market, now: datetime) -> _Leg | None:
    fiat = start in FIAT and to in FIAT
    usable = [
        _Leg(times=q.price, by=Decimal(1), to=to, quote=q)
        for q in quotes.get((start, to), ())
        if counts(q, fiat, now)
    ]
    usable += [
        _Leg(times=Decimal(1), by=q.price, to=to, quote=q)
        for q in quotes.get((to, start), ())
        if counts(q, fiat, now)
    ]
    return max(
        usable,
        key=lambda leg: (fiat and leg.quote.source == ECB, leg.quote.at, leg.by == 1, leg.quote.source),
        default=None,
    )


def counts(quote: Quoted, fiat: bool, now: datetime) -> bool:
    """Whether a quote is young enough to be used; between two fiat currencies it may be older."""
    if quote.price <= 0 or quote.at > now:
        return False
    if fiat:
        return (now.date() - quote.at.date()).days <= OLDEST_FIAT_DAYS
    return now - quote.at <= OLDEST


def _fresh(quote: Quoted, now: datetime) -> bool:
    return quote.source == ECB or now - quote.at <= FRESH


def _followed(asset: str, route: list[_Leg]) -> Price | None:
    times = by = Decimal(1)
    for leg in route:
        times, by = times * leg.times, by * leg.by
    usd = cut(times / by)
    if usd is None:
        return None
    return Price(
        asset=asset,
        usd=usd,
        source=" + ".join(dict.fromkeys(leg.quote.source for leg in route)),
        route=(asset, *(leg.to for leg in route)),
        at=min(leg.quote.at for leg in route),
        legs=tuple(leg.quote.pk for leg in route),
    )
