"""The filtered ledger as a file: streamed row by row, formulas neutralised, one line per external id."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from io import StringIO
from itertools import groupby
from typing import Any

from django.http import Http404, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_safe

from portfolio.fields import plain
from portfolio.models import Transaction
from portfolio.models.ledger import TransactionQuerySet
from portfolio.views.ledger_filter import LedgerFilter
from portfolio.views.page import Request

COLUMNS = ("connection", "exchange", "external_id", "kind", "status", "occurred_at", "description")
POSTING = ("asset", "amount", "role")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
CHUNK = 500
TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/x-ndjson"}


@require_safe
def export(request: Request, form: str) -> HttpResponseBase:
    """All rows that the filter lets through, newest first within a connection, as CSV or as JSON lines."""
    if form not in TYPES:
        raise Http404
    queries = LedgerFilter(request).queries()
    lines = as_csv(queries) if form == "csv" else as_json(queries)
    response = StreamingHttpResponse(lines, content_type=TYPES[form])
    response["Content-Disposition"] = f'attachment; filename="ledger.{"csv" if form == "csv" else "jsonl"}"'
    return response


def as_csv(queries: Iterable[TransactionQuerySet]) -> Iterator[str]:
    """One line per posting, after a line of names."""
    yield _line((*COLUMNS, *POSTING))
    for row in told(queries):
        head = [safe(str(row[name])) for name in COLUMNS]
        for posting in row["postings"] or [dict.fromkeys(POSTING, "")]:
            yield _line((*head, safe(posting["asset"]), posting["amount"], posting["role"]))


def as_json(queries: Iterable[TransactionQuerySet]) -> Iterator[str]:
    """One object per external id."""
    for row in told(queries):
        yield json.dumps(row, ensure_ascii=False) + "\n"


def told(queries: Iterable[TransactionQuerySet]) -> Iterator[dict[str, Any]]:
    """Each external id with the postings of all its legs."""
    for query in queries:
        rows = query.select_related("connection").prefetch_related("postings").newest_first()
        for _, legs in groupby(
            rows.iterator(chunk_size=CHUNK), key=lambda row: (row.stream, row.external_id)
        ):
            yield _row(list(legs))


def safe(text: str) -> str:
    """The text, so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def _row(legs: list[Transaction]) -> dict[str, Any]:
    first = legs[0]
    return {
        "connection": first.connection.label,
        "exchange": first.connection.exchange,
        "external_id": first.external_id,
        "kind": first.kind,
        "status": first.status,
        "occurred_at": first.occurred_at.isoformat().replace("+00:00", "Z"),
        "description": first.description,
        "postings": [
            {"asset": p.asset, "amount": plain(p.amount), "role": p.role}
            for leg in legs
            for p in leg.postings.all()
        ],
    }


def _line(cells: Iterable[str]) -> str:
    line = StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
