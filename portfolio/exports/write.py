"""Rows as JSON lines or CSV. What exchanges sent must stay text in a spreadsheet: formulas are neutralised. Pure."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from io import StringIO

from portfolio.exports.rows import Cell, Export, Row

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")


def write(export: Export, rows: Iterable[Row], form: str) -> Iterator[str]:
    """The lines of an export, one by one; `form` is a name in FORMATS."""
    return FORMATS[form](export, rows)


def jsonl(export: Export, rows: Iterable[Row]) -> Iterator[str]:
    """One JSON object a line."""
    for row in rows:
        yield json.dumps({name: row[name] for name in export.fields}, ensure_ascii=False) + "\n"


def as_csv(export: Export, rows: Iterable[Row]) -> Iterator[str]:
    """RFC 4180, with a line of names; null is empty, lists are JSON."""
    line = StringIO()
    writer = csv.writer(line)
    writer.writerow(export.fields)
    for row in rows:
        yield _taken(line)
        writer.writerow([_cell(row[name], is_number=name in export.numbers) for name in export.fields])
    yield _taken(line)


FORMATS: dict[str, Callable[[Export, Iterable[Row]], Iterator[str]]] = {"jsonl": jsonl, "csv": as_csv}


def neutral(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def _cell(value: Cell, *, is_number: bool) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return value if is_number else neutral(value)


def _taken(line: StringIO) -> str:
    text = line.getvalue()
    line.seek(0)
    line.truncate()
    return text
