"""The flight recorder of a connection: its runs, what was asked and answered, what has been read, and what may be done."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Min, Sum
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe
from kombu.exceptions import OperationalError

from accounts.models import Connection, State
from portfolio import sync
from portfolio.models import Coverage, Quarantine, Run, Transaction, Trigger
from portfolio.sync import hosts, schedule
from portfolio.tasks import sync_connection, tell_figures
from portfolio.views.connections import read_from
from portfolio.views.derivation import wants_json
from portfolio.views.keyset import read_moment
from portfolio.views.page import Request, now, page
from portfolio.views.recorder_json import told
from portfolio.views.span_bar import Bar, bar
from portfolio.views.standing import standing

RUNS = 20
QUARANTINED = 50
OBSERVED = ("balances", "reference")
WALKED = (
    "All lists of this connection are read again, from the newest row to the oldest, as fast as the exchange allows. "
    "Nothing is deleted; what was missed before is found."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One list that the exchange offers."""

    coverage: Coverage
    bar: Bar
    rows: int
    """How many of its rows wait to become final."""

    @property
    def is_observed(self) -> bool:
        """Whether it says how things are now, so that there is no past to be read."""
        return self.coverage.stream in OBSERVED


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How fast a run asked."""

    run: Run

    @property
    def seconds(self) -> float:
        """How long it took."""
        return ((self.run.finished_at or self.run.heartbeat_at) - self.run.started_at).total_seconds()

    @property
    def a_second(self) -> str:
        """Calls a second, on average."""
        return f"{self.run.requests / self.seconds:.1f}" if self.seconds >= 1 else str(self.run.requests)

    @property
    def waited(self) -> str:
        """Seconds spent waiting for the pace, or between tries."""
        return f"{self.run.waited_ms / 1000:.1f}"


@require_safe
def recorder(request: Request, public_id: str) -> HttpResponse:
    """Everything about how a connection is read; as a fragment its older runs."""
    found, moment = read_from(request, public_id), now()
    before = read_moment(request.GET.get("before", ""))
    runs = _runs(found, before)
    older = urlencode({"before": runs[RUNS - 1].started_at.isoformat()}) if len(runs) > RUNS else ""
    runs = runs[:RUNS]
    context: dict[str, Any] = {"connection": found, "now": moment, "older": older, "before": before}
    context["rates"] = [Rate(run=run) for run in runs]
    if before and request.htmx:
        return page(request, "recorder.html", context, section="connections", part="runs")
    trouble = hosts.troubles(moment).get(found.exchange)
    context |= {
        "streams": _streams(found, moment),
        "quarantine": Quarantine.objects.of(found).order_by("-received_at", "-pk")[:QUARANTINED],
        "allowed": sync.allowed(found.exchange),
        "standing": standing(found, moment, trouble),
        "trouble": trouble,
        "is_stale": sync.is_stale(found, moment),
        "heard": next((run for run in runs if run.calls.get("last")), None),
        "is_read": found.state == State.ACTIVE,
    }
    if wants_json(request):
        return JsonResponse(told(context))
    return page(request, "recorder.html", context, section="connections", part="all")


@require_POST
def walk(request: Request, public_id: str) -> HttpResponseRedirect:
    """Read all lists again, or the one that is named, with the next run, which is due now."""
    found = read_from(request, public_id)
    stream = request.POST.get("stream", "")[:40]
    since, until = (read_moment(request.POST.get(name, "")) for name in ("since", "until"))
    if found.state != State.ACTIVE:
        messages.warning(request, "This connection is not read now. Resume it, or replace its key first.")
    elif stream and since and until:
        _read_hole(request, found, stream, since, until)
    elif not stream:
        schedule.at_once(found, now(), full=True)
        messages.success(request, WALKED)
        _wake(found)
    elif sync.walk_stream_again(found, stream, now()):
        text = "The list is read again from its newest row to its oldest with the run that is due now, holes included. Nothing is deleted."
        messages.success(request, text)
        _wake(found)
    else:
        messages.warning(request, "This connection has no such list.")
    return redirect("connection_recorder", public_id)


def _read_hole(request: Request, found: Connection, stream: str, since: datetime, until: datetime) -> None:
    """One stretch of one list, and no more of it than the exchange makes necessary."""
    if sync.read_hole_again(found, stream, since, until, now()):
        text = f"{since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC is read again with the run that is due now. Nothing is deleted."
        messages.success(request, text)
        _wake(found)
    else:
        messages.warning(request, "This connection has no such list or stretch.")


@require_POST
def release(request: Request, public_id: str) -> HttpResponseRedirect:
    """Free a lease whose worker shows no life."""
    found = read_from(request, public_id)
    if sync.release(found, now()):
        messages.success(
            request, "Released. The run that stopped is closed, and the connection is read again."
        )
        _wake(found)
    else:
        messages.warning(
            request,
            "Nothing was released: no worker holds it, or its worker is alive and will end by itself.",
        )
    return redirect("connection_recorder", public_id)


@require_POST
def read_record(request: Request, pk: int) -> HttpResponseRedirect:
    """Try a quarantined record again, from what is stored."""
    rows = Quarantine.objects.for_user(request.user).select_related("connection")
    row = get_object_or_404(rows, pk=pk)
    came_to = sync.read_again(row)
    if came_to is sync.Again.READ:
        messages.success(request, came_to.value)
        with suppress(OperationalError):
            tell_figures.delay_on_commit(row.connection_id)
    else:
        messages.warning(request, came_to.value)
    return redirect("connection_recorder", row.connection.public_id)


def _wake(found: Connection) -> None:
    """Ask a worker now; the database remembers the wish if no broker does."""
    with suppress(OperationalError):
        sync_connection.delay_on_commit(found.pk, Trigger.USER.value)


def _runs(found: Connection, before: datetime | None) -> list[Run]:
    rows = Run.objects.of(found).annotate(new=Sum("streams__new"), changed=Sum("streams__changed"))
    rows = rows.filter(started_at__lt=before) if before else rows
    return list(rows.order_by("-started_at", "-pk").prefetch_related("streams")[: RUNS + 1])


def _streams(found: Connection, moment: datetime) -> list[Stream]:
    first = Transaction.objects.of(found).aggregate(at=Min("occurred_at"))["at"]
    rows = Coverage.objects.of(found).order_by("stream")
    return [Stream(coverage=row, bar=bar(row, moment, first), rows=len(row.open_rows)) for row in rows]
