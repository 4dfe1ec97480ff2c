"""The proofs: all holdings with their verdicts, the chain of one asset at one connection, and what makes one sum.

Each answer is a page, a fragment, and JSON (`?format=json`), with all digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlencode

from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from accounts.models import Connection
from portfolio import proofs as sums
from portfolio.looks import valued_now
from portfolio.models import Proof, Verdict
from portfolio.proofs import Chain
from portfolio.proofs.summary import GRAVEST_FIRST
from portfolio.valuation import Holding
from portfolio.views import proof_json
from portfolio.views.connections import read_from
from portfolio.views.derivation import wants_json
from portfolio.views.keyset import read_moment
from portfolio.views.page import Request, now, page
from portfolio.views.verdicts import Verdicts

PAGE = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One asset at one connection: its chain, and what is held of it now."""

    chain: Chain
    holding: Holding | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One filter of the page."""

    verdict: str
    label: str
    count: int
    is_chosen: bool


@require_safe
def proofs(request: Request) -> HttpResponse:
    """Every chain of the user with its verdict, the gravest first; of one verdict or one asset when asked."""
    moment = now()
    connections = list(Connection.objects.for_user(request.user).order_by("label", "pk"))
    told = Verdicts(connections)
    portfolio, money = valued_now(request.user, moment)
    asset = request.GET.get("asset", "")[:32]
    chosen = request.GET.get("verdict", "")
    chains = [chain for chain in told.chains.values() if not asset or chain.asset == asset]
    held = {(h.connection.pk, h.asset): h for h in portfolio.holdings}
    lines = [
        Line(chain=chain, holding=held.get((chain.connection.pk, chain.asset)))
        for chain in chains
        if chosen not in Verdict.values or chain.verdict == chosen
    ]
    lines.sort(key=_gravity)
    strip = told.strip(portfolio)
    if wants_json(request):
        return JsonResponse(proof_json.lines(moment, strip, lines))
    context = {
        "now": moment,
        "asset": asset,
        "money": money,
        "strip": strip,
        "lines": lines,
        "choices": _choices(chains, chosen),
    }
    return page(request, "proofs.html", context, section="overview", part="lines")


@require_safe
def chain(request: Request, public_id: str) -> HttpResponse:
    """The chain of one asset at one connection, newest interval first, from the place that `before` names on."""
    found = read_from(request, public_id)
    chains = sorted(sums.chains([found]).values(), key=lambda one: (_rank(one), one.asset))
    names = [one.asset for one in chains]
    asset = request.GET.get("asset", "")[:32]
    chosen = next((one for one in chains if one.asset == asset), chains[0] if chains else None)
    before = read_moment(request.GET.get("before", ""))
    rows = _intervals(found, chosen.asset, before) if chosen else []
    older = _older(rows, chosen.asset) if chosen and len(rows) > PAGE else ""
    if wants_json(request):
        return JsonResponse(proof_json.chain(found, chosen, names, rows[:PAGE], older))
    context = {
        "connection": found,
        "chains": chains,
        "chosen": chosen,
        "rows": rows[:PAGE],
        "older": older,
        "before": before,
    }
    return page(
        request, "connection_proofs.html", context, section="connections", part="rows" if before else "chain"
    )


@require_safe
def proof(request: Request, pk: int) -> HttpResponse:
    """One interval: the two balances with the records they were read from, the rows between, and what is missing."""
    rows = Proof.objects.for_user(request.user).select_related("connection")
    found = get_object_or_404(rows, pk=pk)
    behind = sums.interval(found)
    leads = sums.leads(found) if found.verdict == Verdict.UNEXPLAINED else ()
    if wants_json(request):
        return JsonResponse(proof_json.interval(behind, leads))
    context = {"proof": found, "behind": behind, "leads": leads}
    return page(request, "proof.html", context, section="connections", part="detail")


def _intervals(found: Connection, asset: str, before: datetime | None) -> list[Proof]:
    rows = Proof.objects.of(found).filter(asset=asset).order_by("-end")
    return list((rows.filter(end__lt=before) if before else rows)[: PAGE + 1])


def _older(rows: list[Proof], asset: str) -> str:
    return urlencode({"asset": asset, "before": rows[PAGE - 1].end.isoformat()})


def _rank(one: Chain) -> int:
    return GRAVEST_FIRST.index(one.verdict)


def _gravity(line: Line) -> tuple[int, Decimal, str]:
    value = line.holding.value_usd if line.holding else None
    return _rank(line.chain), -(value or Decimal(0)), line.chain.asset


def _choices(chains: list[Chain], chosen: str) -> list[Choice]:
    """All verdicts that occur, and no filter."""
    counts = {verdict: sum(one.verdict == verdict for one in chains) for verdict in Verdict}
    every = Choice(verdict="", label="All", count=len(chains), is_chosen=chosen not in Verdict.values)
    return [
        every,
        *(
            Choice(verdict=v.value, label=str(v.label), count=n, is_chosen=v.value == chosen)
            for v, n in counts.items()
            if n or v.value == chosen
        ),
    ]
