"""The flight recorder as JSON: the same that the page shows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from portfolio.models import Run


def told(context: Mapping[str, Any]) -> dict[str, Any]:
    """What the page shows, from its context."""
    connection, allowed, trouble = context["connection"], context["allowed"], context["trouble"]
    return {
        "connection": connection.label,
        "exchange": connection.exchange,
        "state": connection.state,
        "next_run": connection.next_sync_at.isoformat(),
        "full_walk": _iso(connection.full_walk_at),
        "quiet_until": _iso(connection.quiet_until),
        "host": trouble
        and {"error": trouble.error, "failed_at": _iso(trouble.since), "next_try": _iso(trouble.next_try)},
        "allowed": {"calls": allowed.calls, "seconds": allowed.seconds},
        "streams": [_stream(one) for one in context["streams"]],
        "runs": [_run(rate.run) for rate in context["rates"]],
        "quarantine": [
            {"stream": row.stream, "source_id": row.source_id, "reason": row.reason, "body": row.body}
            for row in context["quarantine"]
        ],
    }


def _stream(one: Any) -> dict[str, Any]:
    row = one.coverage
    return {
        "stream": row.stream,
        "not_offered": row.not_offered,
        "read_at": _iso(row.read_at),
        "complete_at": _iso(row.complete_at),
        "spans": row.spans,
        "holes": [[start.isoformat(), end.isoformat()] for start, end in one.bar.holes],
        "open_rows": one.rows,
    }


def _run(run: Run) -> dict[str, Any]:
    return {
        "started_at": run.started_at.isoformat(),
        "finished_at": _iso(run.finished_at),
        "trigger": run.trigger,
        "full": run.full,
        "state": run.state,
        "requests": run.requests,
        "retries": run.retries,
        "waited_ms": run.waited_ms,
        "error": run.error,
        "advice": run.advice,
        "story": run.story,
        "calls": run.calls,
        "streams": [
            {
                "stream": each.stream,
                "state": each.state,
                "pages": each.pages,
                "sent": each.sent,
                "new": each.new,
                "changed": each.changed,
                "quarantined": each.quarantined,
                "error": each.error,
                "advice": each.advice,
            }
            for each in run.streams.all()
        ],
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
