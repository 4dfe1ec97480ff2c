"""A table as a file: CSV that no spreadsheet takes for formulas, or JSON lines; streamed row by row. Knows no model."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from io import StringIO

from django.http import Http404, HttpResponseBase, StreamingHttpResponse

from portfolio.csvfile import neutral, plain

TYPES = {"csv": ("text/csv; charset=utf-8", "csv"), "json": ("application/x-ndjson", "jsonl")}
Cell = str | int | bool | Decimal | datetime | date | list[str] | None


def export(
    name: str, form: str, columns: Sequence[str], rows: Iterable[Mapping[str, Cell]]
) -> HttpResponseBase:
    """The rows as a download; 404 for a form that there is not."""
    if form not in TYPES:
        raise Http404
    content_type, ending = TYPES[form]
    lines = as_csv(columns, rows) if form == "csv" else as_json(columns, rows)
    response = StreamingHttpResponse(lines, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}.{ending}"'
    return response


def as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Cell]]) -> Iterator[str]:
    """One line for each row, after a line of names."""
    yield _line(columns)
    for row in rows:
        yield _line([_cell(row[column]) for column in columns])


def as_json(columns: Sequence[str], rows: Iterable[Mapping[str, Cell]]) -> Iterator[str]:
    """One object for each row; numbers that must be exact are text."""
    for row in rows:
        told = {column: _value(row[column]) for column in columns}
        yield json.dumps(told, ensure_ascii=False) + "\n"


def _value(value: Cell) -> str | int | bool | list[str] | None:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value


def _cell(value: Cell) -> str:
    shown = _value(value)
    if shown is None:
        return ""
    if isinstance(value, Decimal | datetime | date | int):
        return str(shown)
    return neutral("; ".join(shown) if isinstance(shown, list) else str(shown))


def _line(cells: Iterable[str]) -> str:
    line = StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()
