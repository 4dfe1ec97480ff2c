"""How a page is handed out as a file: CSV that no spreadsheet takes for formulas, or JSON with every digit as text."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from io import StringIO
from typing import Any

from django.http import HttpResponse

from portfolio.fields import plain
from portfolio.views.ledger_export import safe

Row = Mapping[str, Any]


def as_json(content: Any, name: str = "") -> HttpResponse:
    """One JSON document; with a name it is a file to keep."""
    text = json.dumps(content, default=told, ensure_ascii=False, indent=1)
    response = HttpResponse(text, content_type="application/json")
    if name:
        response["Content-Disposition"] = f'attachment; filename="{name}.json"'
    return response


def as_csv(columns: Iterable[str], rows: Iterable[Row], name: str) -> HttpResponse:
    """A line of names and a line a row."""
    names = list(columns)
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(names)
    writer.writerows([_cell(row.get(column)) for column in names] for row in rows)
    response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def told(value: Any) -> Any:
    """A value as JSON has it: decimals are text with every digit."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return (
        safe(value) if isinstance(value, str) else str(told(value) if not isinstance(value, int) else value)
    )
