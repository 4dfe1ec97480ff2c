"""The connections: how each stands, its runs and errors, and what a user may do without touching its key."""

from __future__ import annotations

from contextlib import suppress

from django.contrib import messages
from django.db.models import Sum
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe
from kombu.exceptions import OperationalError

from accounts.models import Connection, State
from exchanges.catalog import EXCHANGES
from portfolio.looks import valued_now
from portfolio.models import Coverage, Quarantine, Run, RunState, Transaction, Trigger
from portfolio.sync import hosts, schedule
from portfolio.tasks import sync_connection
from portfolio.views.keyset import newest
from portfolio.views.page import STOP_POLLING, Request, now, page
from portfolio.views.standing import standing, standings
from portfolio.views.verdicts import Verdicts

LAST_RUNS = 10
LAST_ROWS = 15
QUARANTINED = 20


@require_safe
def connections(request: Request) -> HttpResponse:
    """All connections of the user with where they stand."""
    mine = list(Connection.objects.for_user(request.user).order_by("label", "pk"))
    verdicts = Verdicts(mine).by_connection
    moment = now()
    told = standings(mine, moment, verdicts, hosts.troubles(moment))
    context = {"standings": told, "exchanges": EXCHANGES.values()}
    return page(request, "connections.html", context, section="connections", part="list")


@require_safe
def connection(request: Request, public_id: str) -> HttpResponse:
    """One connection; as a fragment its progress, which is polled until the sync has ended."""
    found = mine(request, public_id)
    if found.is_own:
        return own_account(request, found)
    runs = last_runs(found)
    moment = now()
    shown = standing(found, moment, hosts.troubles(moment).get(found.exchange))
    is_busy = shown.is_busy or is_waiting(found)
    context = {
        "connection": found,
        "standing": shown,
        "runs": runs,
        "run": runs[0] if runs else None,
        "is_busy": is_busy,
        "verdict": Verdicts([found]).of_connection(found.pk),
        "is_running": bool(runs) and runs[0].state == RunState.RUNNING,
    }
    if not request.htmx:
        context |= {
            "coverage": Coverage.objects.of(found).order_by("stream"),
            "quarantine": Quarantine.objects.of(found).order_by("-received_at")[:QUARANTINED],
        }
    response = page(request, "connection.html", context, section="connections", part="progress")
    if request.htmx and not is_busy:
        response.status_code = STOP_POLLING
    return response


@require_POST
def sync_now(request: Request, public_id: str) -> HttpResponseRedirect:
    """Let a worker read it as soon as one is free; the database remembers the wish if no broker does."""
    found = mine(request, public_id)
    if found.state != State.ACTIVE:
        messages.warning(request, "This connection is not read now. Resume it, or replace its key first.")
        return redirect("connection", public_id)
    schedule.at_once(found, now())
    with suppress(OperationalError):
        sync_connection.delay_on_commit(found.pk, Trigger.USER.value)
    return redirect("connection", public_id)


@require_POST
def pause(request: Request, public_id: str) -> HttpResponseRedirect:
    """Stop reading until the user resumes; a sync that runs ends in peace."""
    found = mine(request, public_id)
    if found.state in {State.ACTIVE, State.CHECKING}:
        found.set_state(State.PAUSED, code="paused", reason="You paused it.")
        messages.success(request, f"“{found.label}” is paused. Its history stays.")
    return redirect("connection", public_id)


@require_POST
def resume(request: Request, public_id: str) -> HttpResponseRedirect:
    """Read again, at once."""
    found = mine(request, public_id)
    if found.state == State.PAUSED and found.has_key:
        found.set_state(State.ACTIVE)
        return sync_now(request, public_id)
    return redirect("connection", public_id)


def own_account(request: Request, account: Connection) -> HttpResponse:
    """An account that its user keeps: no key and no runs, but what was entered and what it holds."""
    moment = now()
    portfolio, money = valued_now(request.user, moment)
    context = {
        "connection": account,
        "now": moment,
        "money": money,
        "standing": standing(account, moment),
        "part": next((p for p in portfolio.by_connection() if p.key == account.public_id), None),
        "rows": newest([Transaction.objects.of(account)], LAST_ROWS),
        "is_behind": account.figures_since is not None,
    }
    return page(request, "own_account.html", context, section="connections", part="held")


def mine(request: Request, public_id: str) -> Connection:
    """The user's own connection of that id, else 404."""
    return get_object_or_404(Connection.objects.for_user(request.user), public_id=public_id)


def read_from(request: Request, public_id: str) -> Connection:
    """The user's own connection of that id if an exchange answers for it, else 404."""
    reachable = Connection.objects.for_user(request.user).at_exchanges()
    return get_object_or_404(reachable, public_id=public_id)


def last_runs(found: Connection) -> list[Run]:
    """Its last runs, newest first, with their streams."""
    told = Run.objects.of(found).annotate(new=Sum("streams__new"), changed=Sum("streams__changed"))
    return list(told.order_by("-started_at", "-pk").prefetch_related("streams")[:LAST_RUNS])


def is_waiting(found: Connection) -> bool:
    """Whether a sync is due and no worker has taken it up yet."""
    return found.state == State.ACTIVE and found.next_sync_at <= now()
