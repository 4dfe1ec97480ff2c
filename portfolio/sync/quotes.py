"""Asks everybody for prices: now (`refresh`), and of past days (`fill_gaps`, `fill_history`). Failures stay apart.

Only for assets that somebody holds or held. Nothing here runs while a page is served.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from itertools import islice
from typing import TypeVar

import httpx2
from django.conf import settings
from django.db.models import Max, Min

from exchanges.catalog import EXCHANGES
from exchanges.clock import SYSTEM_CLOCK
from exchanges.connect import public
from exchanges.connector import PublicSource
from exchanges.errors import ExchangeError
from exchanges.records import Candle, Quote
from portfolio import rates
from portfolio.models import BalanceSnapshot, MoneyChoice, PriceHistory, Rate
from portfolio.rates import ECB, FIAT, USD, Repriced
from portfolio.sync import coingecko, hosts
from portfolio.sync.ecb import ReferenceRates
from portfolio.sync.market import keep, of_candle, thin

Sources = Mapping[str, PublicSource]
Said = TypeVar("Said", Quote, Candle)
MOST = 5_000
"""No source is heard longer than for so many quotes."""
STRETCH = 600
"""Days asked for in one step."""
STEPS = 12
"""Steps in one call, so that a task ends within a minute or two."""
OVERLAP = timedelta(days=1)
"""The last day asked for is asked again: its close may not have been there yet."""
FIRST = ("USDT", "EUR", "BTC")
"""Routes lead over these, so their prices come first."""
ALWAYS = (*FIRST, "ETH")
"""What routes lead over, and what the same money is compared with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A source that did not answer, in a sentence, and what to do."""

    source: str
    error: str
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshResult:
    """What a refresh brought; failures of one source never stop the others."""

    new: int
    refused: int
    changed: tuple[Repriced, ...]
    failures: tuple[Failure, ...]
    reference_day: date
    """The last day for which the ECB's rates are known here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FillResult:
    """What a filling of gaps brought; `more` says that it should be called again."""

    new: int
    changed: tuple[Repriced, ...]
    failures: tuple[Failure, ...]
    done: int
    wanted: int
    more: bool


@dataclass(slots=True)
class _Heard:
    """What was said so far in one call."""

    new: int = 0
    refused: int = 0
    failures: list[Failure] = field(default_factory=list)

    def take(self, quotes: Iterable[Quote], now: datetime) -> None:
        kept = keep(quotes, now)
        self.new += kept.new
        self.refused += kept.refused


def public_sources(client: httpx2.Client | None = None) -> Sources:
    """The public side of every exchange at its configured host, and CoinGecko where it is switched on."""
    sources: dict[str, PublicSource] = {
        known.label: public(
            name,
            base_url=settings.EXCHANGE_URLS[name],
            client=client,
            circuit=hosts.breaker(name, SYSTEM_CLOCK),
        )
        for name, known in EXCHANGES.items()
    }
    if settings.COINGECKO:
        names = {**coingecko.NAMES, **settings.COINGECKO_IDS}
        sources[coingecko.SOURCE] = coingecko.CoinGecko(
            settings.COINGECKO_URL,
            key=settings.COINGECKO_KEY,
            names=names,
            client=client,
            circuit=hosts.Breaker(settings.COINGECKO_URL, SYSTEM_CLOCK, coingecko.SOURCE),
        )
    return sources


def reference_rates() -> ReferenceRates:
    """The ECB's rates in the data folder."""
    return ReferenceRates(settings.DATA_DIR / "ecb", settings.ECB_URL)


def refresh(
    now: datetime,
    client: httpx2.Client | None = None,
    *,
    sources: Sources | None = None,
    reference: ReferenceRates | None = None,
) -> RefreshResult:
    """Ask every source what the assets held now cost, and settle today's prices."""
    reference = reference or reference_rates()
    assets = _held()
    if assets:
        # What is held is also said in the currencies that users look in.
        assets |= frozenset(_looked_in())
    heard = _Heard()
    if assets:
        for name, source in (sources or public_sources(client)).items():
            heard.take(_listen(name, partial(source.quotes, assets), heard), now)
    tried = reference.refresh(now)
    if tried.error:
        heard.failures.append(Failure(source=ECB, error=tried.error))
    today, before = now.date(), heard.new
    since = _unread_since(today)
    heard.take(reference.quotes(assets & FIAT, since, today), now)
    thin(now)
    return RefreshResult(
        new=heard.new,
        refused=heard.refused,
        changed=rates.settle(assets, since if heard.new > before else today, today, now),
        failures=tuple(heard.failures),
        reference_day=reference.newest,
    )


def has_news() -> bool:
    """Whether an asset is held, or a day wanted, that nobody was ever asked about."""
    return PriceHistory.objects.filter(asked_at__isnull=True).exists()


def fill_history(
    assets: Iterable[str],
    since: date,
    until: date,
    now: datetime,
    client: httpx2.Client | None = None,
    *,
    sources: Sources | None = None,
    reference: ReferenceRates | None = None,
) -> FillResult:
    """Ask for the daily closes of these assets and settle their prices from `since` to `until`, both included."""
    sources, reference = sources or public_sources(client), reference or reference_rates()
    names = frozenset(assets) - {USD}
    heard = _Heard()
    for asset in sorted(names, key=_first):
        _closes(asset, since, until, now, sources, reference, heard)
    return FillResult(
        new=heard.new,
        changed=rates.settle(names, since, until, now),
        failures=tuple(heard.failures),
        done=len(names),
        wanted=len(names),
        more=False,
    )


def fill_gaps(
    now: datetime,
    client: httpx2.Client | None = None,
    *,
    sources: Sources | None = None,
    reference: ReferenceRates | None = None,
    steps: int = STEPS,
) -> FillResult:
    """Work off the queue of wanted days, newest first, a bounded number of steps; remembers how far it came."""
    sources, reference = sources or public_sources(client), reference or reference_rates()
    _want_hubs()
    _want_currencies()
    yesterday = now.date() - timedelta(days=1)
    heard = _Heard()
    spans: dict[str, tuple[date, date]] = {}
    failed: set[str] = set()
    while steps and (step := _next_step(yesterday, failed)):
        row, start, end = step
        steps -= 1
        error = _closes(row.asset, start, end, now, sources, reference, heard)
        if error:
            failed.add(row.asset)
        _remember(row, start, end, now, error)
        first, last = spans.get(row.asset, (start, end))
        spans[row.asset] = (min(first, start), max(last, end))
    rows = list(PriceHistory.objects.all())
    return FillResult(
        new=heard.new,
        changed=_settle(spans, now),
        failures=tuple(heard.failures),
        done=sum(_missing(row, yesterday) is None for row in rows),
        wanted=len(rows),
        more=_next_step(yesterday, failed) is not None,
    )


def _listen(name: str, ask: Callable[[], Iterator[Said]], heard: _Heard) -> Iterator[Said]:
    """What a source says until it fails; the failure is noted, what came before it counts."""
    try:
        yield from islice(ask(), MOST)
    except ExchangeError as error:
        heard.failures.append(Failure(source=name, error=error.sentence, advice=error.advice))


def _held() -> frozenset[str]:
    held = (
        BalanceSnapshot.objects.filter(newest=True)
        .exclude(total=0)
        .order_by()
        .values_list("asset")
        .distinct()
    )
    return frozenset(asset for (asset,) in held)


def _unread_since(today: date) -> date:
    """From which day on the ECB's file may say something new: it can have been out of reach for weeks."""
    last = Rate.objects.filter(source=ECB, newest=True).aggregate(at=Max("at"))["at"]
    week = today - timedelta(days=7)
    return min(week, last.date()) if last else week


def _closes(
    asset: str,
    start: date,
    end: date,
    now: datetime,
    sources: Sources,
    reference: ReferenceRates,
    heard: _Heard,
) -> str:
    """Ask for one asset's closes; the error of a source that failed, or nothing."""
    if asset in FIAT:
        # A few days earlier, so that the first days have something to be carried over from.
        heard.take(reference.quotes([asset], start - timedelta(days=rates.CARRIED_DAYS), end), now)
        if (end - reference.newest).days <= rates.CARRIED_DAYS:
            return ""
        # The ECB's file is old, as where it cannot be reached: after its end the exchanges' closes serve.
        start = max(start, reference.newest + timedelta(days=1))
    for name, source in sources.items():
        # One that failed in this call is not asked again for every asset.
        if name not in {failure.source for failure in heard.failures}:
            said = _listen(name, partial(source.candles, asset, start, end), heard)
            heard.take(map(of_candle, said), now)
    return next((failure.error for failure in heard.failures), "")


def _want_hubs() -> None:
    """What routes lead over and benchmarks are made of is wanted as far back as anything is."""
    since = PriceHistory.objects.aggregate(day=Min("wanted_since"))["day"]
    if since is None:
        return
    for hub in ALWAYS:
        row, made = PriceHistory.objects.get_or_create(asset=hub, defaults={"wanted_since": since})
        if not made and since < row.wanted_since:
            PriceHistory.objects.filter(pk=row.pk).update(wanted_since=since)


def _want_currencies() -> None:
    """The currencies that users look in are wanted as far back as anything of theirs is."""
    wanted = _looked_in()
    known = dict(PriceHistory.objects.filter(asset__in=list(wanted)).values_list("asset", "wanted_since"))
    for name, since in wanted.items():
        if since is not None and since < known.get(name, date.max):
            PriceHistory.objects.update_or_create(asset=name, defaults={"wanted_since": since})


def _looked_in() -> dict[str, date | None]:
    """The currencies that users chose to look in, and since when they have something to look at."""
    chosen = MoneyChoice.objects.exclude(currency=USD).order_by().values_list("currency")
    return dict(chosen.annotate(first=Min("user__connections__daily_worth__day")))


def _next_step(yesterday: date, without: set[str]) -> tuple[PriceHistory, date, date] | None:
    """The next stretch to ask for: hubs first, then the assets that waited longest."""
    for row in sorted(PriceHistory.objects.exclude(asset__in=without), key=lambda row: _first(row.asset)):
        span = _missing(row, yesterday)
        if span:
            return row, *span
    return None


def _missing(row: PriceHistory, yesterday: date) -> tuple[date, date] | None:
    stretch = timedelta(days=STRETCH - 1)
    if row.wanted_since > yesterday:
        return None
    if row.asked_from is None or row.asked_until is None:
        return max(row.wanted_since, yesterday - stretch), yesterday
    if row.asked_until < yesterday:
        return max(row.asked_from, row.asked_until - OVERLAP), min(yesterday, row.asked_until + stretch)
    if row.asked_from > row.wanted_since:
        end = row.asked_from - timedelta(days=1)
        return max(row.wanted_since, end - stretch), end
    return None


def _remember(row: PriceHistory, start: date, end: date, now: datetime, error: str) -> None:
    """How far it came; after a failure only that it was tried."""
    row.asked_at, row.error = now, error[:400]
    if not error:
        row.asked_from = min(start, row.asked_from or start)
        row.asked_until = max(end, row.asked_until or end)
    row.save(update_fields=["asked_at", "error", "asked_from", "asked_until"])


def _settle(spans: Mapping[str, tuple[date, date]], now: datetime) -> tuple[Repriced, ...]:
    """Derive what changed; where a hub changed, every asset may have, for a route may lead over it."""
    if not spans:
        return ()
    first, last = min(start for start, _ in spans.values()), max(end for _, end in spans.values())
    carried = min(last + timedelta(days=rates.CARRIED_DAYS), now.date())
    assets = set(spans)
    if assets & set(FIRST):
        assets |= set(PriceHistory.objects.values_list("asset", flat=True))
    return rates.settle(assets, first, carried, now)


def _first(asset: str) -> tuple[bool, str]:
    return (asset not in FIRST, asset)
