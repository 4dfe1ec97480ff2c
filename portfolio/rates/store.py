"""Prices now and at the end of past days, from the stored quotes: one query for all assets, however many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from django.db.models import Min, QuerySet

from portfolio.models import DailyPrice, Rate, SourceOrder
from portfolio.models.chunks import delete, upsert
from portfolio.rates import routes
from portfolio.rates.routes import OLDEST_FIAT_DAYS, USD, Price, Quoted

_CARRIED = timedelta(days=OLDEST_FIAT_DAYS + 1)
_FIELDS = ("price_usd", "source", "route", "at", "carried_days")
ARROW = " > "
"""Between the assets of a route, as it is stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPrice:
    """What an asset was worth in USD at the end of a day, by which route, carried forward how many days."""

    asset: str
    day: date
    usd: Decimal
    source: str
    route: tuple[str, ...]
    at: datetime
    carried_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Repriced:
    """An asset whose daily prices changed, and between which days: what rests on them must be valued again."""

    asset: str
    first: date
    last: date


def current(assets: Iterable[str], now: datetime) -> dict[str, Price]:
    """The price of each asset as known at `now`; one that is missing is unpriced."""
    wanted = frozenset(assets)
    if not wanted:
        return {}
    known = Rate.objects.among(routes.nodes(wanted)).known_at(now).filter(at__gt=now - _CARRIED)
    return routes.prices(wanted, quoted(known), now)


def daily(assets: Iterable[str], start: date, end: date) -> Mapping[tuple[str, date], DayPrice]:
    """The prices at the end of the days from `start` to `end`; one that is missing is unpriced."""
    wanted = frozenset(assets)
    rows = DailyPrice.objects.filter(asset__in=wanted - {USD}, day__range=(start, end))
    found = {(row.asset, row.day): _day_price(row) for row in rows.iterator()}
    if USD in wanted:
        found.update({(USD, day): _dollar(day) for day in days(start, end)})
    return found


def closes(assets: Iterable[str], start: date, end: date) -> dict[str, dict[date, Decimal]]:
    """The same as bare numbers by asset and day, where nobody asks whence: many times cheaper to read."""
    found: dict[str, dict[date, Decimal]] = {asset: {} for asset in assets}
    rows = DailyPrice.objects.filter(asset__in=found.keys() - {USD}, day__range=(start, end))
    for asset, day, price in rows.values_list("asset", "day", "price_usd").iterator():
        found[asset][day] = price
    if USD in found:
        found[USD] = dict.fromkeys(days(start, end), Decimal(1))
    return found


def at_moments(asset: str, moments: Iterable[datetime]) -> dict[datetime, Price]:
    """What one unit of an asset was worth at each of these moments; one that is missing is unpriced: one query."""
    wanted = sorted(set(moments))
    if not wanted:
        return {}
    span = (wanted[0] - _CARRIED, wanted[-1])
    quotes = Rate.objects.among(routes.nodes([asset])).filter(at__range=span).order_by("at", "pk")
    known = routes.walk_moments([asset], quoted(quotes), wanted)
    return {moment: found[asset] for moment, found in zip(wanted, known, strict=True) if asset in found}


def settle(assets: Iterable[str], start: date, end: date, now: datetime) -> tuple[Repriced, ...]:
    """Derive the daily prices of these days again from the quotes; which assets changed, and when."""
    wanted = frozenset(assets) - {USD}
    if not wanted or end < start:
        return ()
    there = {
        (row.asset, row.day): row
        for row in DailyPrice.objects.filter(asset__in=wanted, day__range=(start, end)).iterator()
    }
    derived = dict(_derived(wanted, start, end, now))
    changed = [row for key, row in derived.items() if key not in there or _differs(row, there[key])]
    gone = [key for key in there if key not in derived]
    upsert(DailyPrice.objects.all(), changed, unique=("asset", "day"), update=_FIELDS)
    delete(DailyPrice.objects.all(), [there[key].pk for key in gone])
    return _summary([*((row.asset, row.day) for row in changed), *gone])


def settle_again(asset: str, now: datetime) -> tuple[Repriced, ...]:
    """Derive all daily prices of an asset again, and where routes lead over it those of all assets."""
    assets = {asset}
    if asset in routes.HUBS:
        assets |= set(DailyPrice.objects.order_by().values_list("asset", flat=True).distinct())
    first = DailyPrice.objects.filter(asset__in=assets).aggregate(day=Min("day"))["day"]
    return settle(assets, first, now.date(), now) if first else ()


def days(start: date, end: date) -> Iterator[date]:
    """Every day from `start` to `end`, both included."""
    return (start + timedelta(days=n) for n in range((end - start).days + 1))


def _derived(
    assets: frozenset[str], start: date, end: date, now: datetime
) -> Iterator[tuple[tuple[str, date], DailyPrice]]:
    order = dict(SourceOrder.objects.filter(asset__in=assets).values_list("asset", "sources"))
    quotes = _between(assets, start, end, now)
    for day, known in routes.walk(assets, quotes, days(start, end), now, order):
        for asset, price in known.items():
            row = DailyPrice(
                asset=asset,
                day=day,
                price_usd=price.usd,
                source=price.source[:60],
                route=ARROW.join(price.route),
                at=price.at,
                carried_days=max(0, (day - price.at.date()).days),
            )
            yield (asset, day), row


def _between(assets: frozenset[str], start: date, end: date, now: datetime) -> Iterator[Quoted]:
    among = Rate.objects.among(routes.nodes(assets))
    if start == end:
        # One day needs only the last quote of each pair, not the hundreds of an hour.
        moment = min(routes.closing_time(end), now)
        return iter(sorted(quoted(among.known_at(moment)), key=lambda quote: quote.at))
    since = datetime.combine(start, time(), tzinfo=UTC) - _CARRIED
    return quoted(among.filter(at__range=(since, routes.closing_time(end))).order_by("at", "pk"))


def quoted(rows: QuerySet[Rate]) -> Iterator[Quoted]:
    """Stored quotes as routes read them."""
    values = rows.values_list("base", "counter", "price", "source", "at", "pk").iterator()
    for base, counter, price, source, at, pk in values:
        yield Quoted(base=base, counter=counter, price=price, source=source, at=at, pk=pk)


def _differs(new: DailyPrice, old: DailyPrice) -> bool:
    return any(getattr(new, name) != getattr(old, name) for name in _FIELDS)


def _summary(changed: Iterable[tuple[str, date]]) -> tuple[Repriced, ...]:
    by_asset: dict[str, list[date]] = {}
    for asset, day in changed:
        by_asset.setdefault(asset, []).append(day)
    return tuple(Repriced(asset=a, first=min(when), last=max(when)) for a, when in sorted(by_asset.items()))


def _day_price(row: DailyPrice) -> DayPrice:
    return DayPrice(
        asset=row.asset,
        day=row.day,
        usd=row.price_usd,
        source=row.source,
        route=tuple(row.route.split(ARROW)),
        at=row.at,
        carried_days=row.carried_days,
    )


def _dollar(day: date) -> DayPrice:
    moment = routes.closing_time(day)
    return DayPrice(
        asset=USD, day=day, usd=Decimal(1), source="definition", route=(USD,), at=moment, carried_days=0
    )
