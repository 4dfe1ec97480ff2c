"""What the proofs say, as pages show it: a chip for each holding, asset and connection, and the strip of their shares."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlencode

from django.urls import reverse

from accounts.models import Connection
from portfolio import proofs
from portfolio.models import Verdict
from portfolio.proofs import Chain
from portfolio.valuation import Portfolio
from portfolio.valuation.amounts import share

WIDTH = 1000


def worst(verdicts: Iterable[Verdict | None]) -> Verdict | None:
    """The gravest; None where one of them is not known yet."""
    found = list(verdicts)
    return None if None in found else proofs.worst(verdict for verdict in found if verdict)


def chain_address(connection: Connection, asset: str) -> str:
    """Where the chain of an asset at a connection is shown."""
    return f"{reverse('connection_proofs', args=[connection.public_id])}?{urlencode({'asset': asset})}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One part of the strip; `x` and `width` are thousandths of the bar."""

    verdict: Verdict
    value_usd: Decimal
    share: Decimal | None
    count: int
    x: int
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """How much of the worth is proved, and what the rest is."""

    segments: tuple[Segment, ...]
    unpriced: int
    """Holdings without a price: they have a verdict and no share."""
    own_usd: Decimal
    """What users' own entries are worth: nobody vouches for them, so they are no part of the strip."""

    @property
    def proved(self) -> Decimal | None:
        """The share that is proved, with or without a named assumption."""
        held = {Verdict.PROVED, Verdict.ASSUMED}
        known = [s.share for s in self.segments if s.share is not None]
        good = [s.share for s in self.segments if s.share is not None and s.verdict in held]
        return sum(good, Decimal(0)) if known else None


class Verdicts:
    """All chains of some connections of a user; two queries."""

    def __init__(self, connections: Iterable[Connection]) -> None:
        """The connections have been found through `for_user`."""
        self.chains: dict[tuple[int, str], Chain] = proofs.chains(connections)
        self._by_asset: dict[str, list[Verdict]] = defaultdict(list)
        self._by_connection: dict[int, list[Verdict]] = defaultdict(list)
        for (pk, asset), chain in self.chains.items():
            self._by_asset[asset].append(chain.verdict)
            self._by_connection[pk].append(chain.verdict)

    def of_holding(self, connection_id: int, asset: str) -> Verdict | None:
        """Of one asset at one connection; None where nothing has been added up yet."""
        chain = self.chains.get((connection_id, asset))
        return chain.verdict if chain else None

    def of_asset(self, asset: str) -> Verdict | None:
        """The gravest over all connections."""
        return proofs.worst(self._by_asset.get(asset, ()))

    def of_connection(self, connection_id: int) -> Verdict | None:
        """The gravest over all assets."""
        return proofs.worst(self._by_connection.get(connection_id, ()))

    @property
    def by_connection(self) -> dict[int, Verdict | None]:
        """The gravest of each connection that has proofs."""
        return {pk: proofs.worst(found) for pk, found in self._by_connection.items()}

    def strip(self, portfolio: Portfolio) -> Strip:
        """The worth divided by verdict."""
        held = [h for h in portfolio.holdings if h.is_held and not h.connection.is_own]
        own = [h.value_usd for h in portfolio.holdings if h.connection.is_own and h.value_usd]
        parts = proofs.parts(
            (self.of_holding(h.connection.pk, h.asset), h.value_usd or Decimal(0)) for h in held
        )
        whole, segments, x = sum((part.value for part in parts), Decimal(0)), [], 0
        for part in parts:
            portion = share(part.value, whole) if whole > 0 else None
            # Where nothing has a price the bar is divided by the number of holdings.
            width = int((Decimal(part.count) / len(held) if portion is None else portion) * WIDTH)
            segments.append(
                Segment(
                    verdict=part.verdict,
                    value_usd=part.value,
                    share=portion,
                    count=part.count,
                    x=x,
                    width=max(width, 4),
                )
            )
            x += max(width, 4)
        return Strip(
            segments=tuple(segments),
            unpriced=sum(h.value_usd is None for h in held),
            own_usd=sum(own, Decimal(0)),
        )
