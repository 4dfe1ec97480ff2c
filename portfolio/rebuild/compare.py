"""What differs between the tables that stand and their shadow: pairs of primary keys, found by the database itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import models

from portfolio.fields import plain
from portfolio.models import Transaction
from portfolio.rebuild.shadow import derived, is_sqlite, numbers, run, standing
from portfolio.rebuild.tables import POSTINGS, TABLES, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One row that is not what the raw records say."""

    what: str
    row: str
    stands: str
    derived: str

    def __str__(self) -> str:
        return f"{self.what} {self.row}: stands {self.stands}; raw says {self.derived}"


class Differences:
    """All rows of one connection that differ; kept in temporary tables, so that their number costs no memory."""

    def __init__(self, connection_id: int, open_day: date | None) -> None:
        """`open_day`: the last day that was told, whose prices still move."""
        self._connection_id = connection_id
        self._open_day = open_day
        self.counts: dict[Table, int] = {}

    def find(self) -> None:
        """Compare every table."""
        for table in TABLES:
            run(
                f"DROP TABLE IF EXISTS {pairs(table)}",
                f"CREATE TEMP TABLE {pairs(table)} (stands bigint, derived bigint)",
                *self._statements(table),
            )
            self.counts[table] = numbers(f"SELECT COUNT(*) FROM {pairs(table)}")[0]

    def forget(self) -> None:
        """Leave nothing behind."""
        for table in TABLES:
            run(f"DROP TABLE IF EXISTS {pairs(table)}")
        run("DROP TABLE IF EXISTS rebuild_there", "DROP TABLE IF EXISTS rebuild_told")

    @property
    def total(self) -> int:
        """How many rows differ."""
        return sum(self.counts.values())

    def first(self) -> Difference | None:
        """The first of them, ledger before figures, in the order of the keys."""
        for table, count in self.counts.items():
            if count:
                return self._first(table)
        return None

    def _statements(self, table: Table) -> list[str]:
        there, told = self._side(table, standing(table.name)), self._side(table, derived(table.name))
        numbered: list[str] = []
        if table.repeats:
            numbered = [*_numbered(table, there, "rebuild_there"), *_numbered(table, told, "rebuild_told")]
            there, told = "rebuild_there", "rebuild_told"
        names = [*table.key, *(["n"] if table.repeats else [])]
        same = " AND ".join(f'd."{name}" = s."{name}"' for name in names)
        into = f"INSERT INTO {pairs(table)}"
        return [
            *numbered,
            f"{into} SELECT s.id, d.id FROM {there} s JOIN {told} d ON {same} WHERE {self._differs(table)}",
            f"{into} SELECT s.id, NULL FROM {there} s LEFT JOIN {told} d ON {same} WHERE d.id IS NULL",
            f"{into} SELECT NULL, d.id FROM {told} d LEFT JOIN {there} s ON {same} WHERE s.id IS NULL",
        ]

    def _side(self, table: Table, source: str) -> str:
        names = ", ".join(f'"{name}"' for name in (*table.key, *table.compared, *table.priced))
        return f"(SELECT id, {names} FROM {source} WHERE connection_id = {int(self._connection_id)})"

    def _differs(self, table: Table) -> str:
        found = [_unlike(table, name) for name in table.compared]
        if table.priced and self._open_day is not None:
            first = self._open_day.replace(day=1) if table.settled == "month" else self._open_day
            moved = " OR ".join(_unlike(table, name) for name in table.priced)
            found.append(f"(s.{table.settled} < '{first.isoformat()}' AND ({moved}))")
        return " OR ".join(found) or "1 = 0"

    def _first(self, table: Table) -> Difference:
        order = ", ".join(f'COALESCE(s."{name}", d."{name}")' for name in table.key)
        rows = (
            f"FROM {pairs(table)} p LEFT JOIN {standing(table.name)} s ON s.id = p.stands"
            f" LEFT JOIN {derived(table.name)} d ON d.id = p.derived ORDER BY {order} LIMIT 1"
        )
        stands = _row(table.model, standing(table.name), numbers(f"SELECT p.stands {rows}")[0])
        told = _row(table.model, derived(table.name), numbers(f"SELECT p.derived {rows}")[0])
        return _difference(table, stands, told)


def _unlike(table: Table, name: str) -> str:
    unlike = f'd."{name}" {"IS NOT" if is_sqlite() else "IS DISTINCT FROM"} s."{name}"'
    if name not in table.later:
        return unlike
    # Text that is empty, or an amount that is not there: both are told together.
    return f"(s.came_before IS NOT NULL AND {unlike})"


def _numbered(table: Table, side: str, name: str) -> list[str]:
    """Rows that share a key told apart by a number, laid out with an index: SQLite joins nothing else in good time."""
    key, rest = (", ".join(f'"{column}"' for column in part) for part in (table.key, table.compared))
    order = f"ROW_NUMBER() OVER (PARTITION BY {key} ORDER BY {rest})"
    return [
        f"DROP TABLE IF EXISTS {name}",
        f"CREATE TEMP TABLE {name} AS SELECT t.*, {order} AS n FROM {side} t",
        f"CREATE INDEX {name}_by_key ON {name} ({key}, n)",
    ]


def pairs(table: Table) -> str:
    """Where the differing rows of a table are noted."""
    return f"rebuild_{table.name}"


def _row(model: type[models.Model], source: str, pk: int | None) -> models.Model | None:
    if pk is None:
        return None
    return next(iter(model._default_manager.raw(f"SELECT * FROM {source} WHERE id = %s", [pk])))


def _difference(table: Table, stands: models.Model | None, told: models.Model | None) -> Difference:
    one = told or stands
    assert one is not None
    columns = (*table.compared, *table.priced)
    if stands and told:
        columns = tuple(name for name in columns if getattr(stands, name) != getattr(told, name))[:1]
    else:
        columns = columns[:1]
    return Difference(
        what=table.noun,
        row=_name(table, one),
        stands=_said(stands, columns),
        derived=_said(told, columns),
    )


def _name(table: Table, row: models.Model) -> str:
    if table is not POSTINGS:
        return " ".join(_text(getattr(row, name)) for name in table.key if getattr(row, name) != "")
    pk, asset, role = (getattr(row, name) for name in table.key)
    sources = (derived(Transaction._meta.db_table), standing(Transaction._meta.db_table))
    of = next(
        one
        for source in sources
        for one in Transaction.objects.raw(f"SELECT * FROM {source} WHERE id = %s", [pk])
    )
    return " ".join(filter(None, (of.stream, of.external_id, of.leg, asset, role)))


def _said(row: models.Model | None, columns: tuple[str, ...]) -> str:
    if row is None:
        return "no such row"
    return ", ".join(f"{name.removesuffix('_id')} {_text(getattr(row, name))}" for name in columns)


def _text(value: Any) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return "none" if value is None else str(value)
