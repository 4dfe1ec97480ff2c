"""Writes the bundle as a ZIP to a file that need not be sought in: a history of any length in the same memory."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import localcontext
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from accounts.models import User
from portfolio import gains
from portfolio.bundle import tables
from portfolio.bundle.said import ledger, told_by_exchanges
from portfolio.bundle.tables import Cell, Table
from portfolio.csvfile import neutral, plain
from portfolio.gains import Changed, Income, Line, Problem, Sold, State
from portfolio.gains.years import Held
from portfolio.rates import FIAT

FORMAT = 2
PIECE = 1 << 18


def write(user: User, now: datetime, out: IO[bytes]) -> None:
    """The bundle: found afresh, so that all its files speak of the same moment."""
    with TemporaryDirectory(prefix="holdfast-bundle-") as name, localcontext(gains.EXACT):
        folder = Path(name)
        fingerprint = _tables(user, now, folder)
        for resource in ("verify.py", "README.txt"):
            (folder / resource).write_bytes(files("portfolio.bundle").joinpath(resource).read_bytes())
        manifest = {
            "format": FORMAT,
            "user": user.email,
            "made_at": now.isoformat().replace("+00:00", "Z"),
            "fingerprint": fingerprint,
            "money": sorted(FIAT),
            "files": {path.name: _digest(path) for path in sorted(folder.iterdir())},
        }
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=1))
        _zip(folder, now, out)


def _tables(user: User, now: datetime, folder: Path) -> str:
    """All tables as files. The ledger first: what comes in meanwhile may be in the others, but nothing less."""
    _table(folder, "ledger", ledger(user))
    stream = gains.Stream(user, now)
    with _Found(folder) as sink:
        run = gains.Run(stream.choices, sink, gains.Opening())
        for item in stream.items(run.turnover):
            run.take(item)
        run.finish(now)
    _table(folder, "choices", tables.choices(stream.choices))
    _table(folder, "lots", tables.lots(run))
    _table(folder, "totals", tables.totals(run))
    used = stream.prices.used
    _table(folder, "prices", tables.prices(used[key] for key in sorted(used)))
    for name, table in told_by_exchanges(user).items():
        _table(folder, name, table)
    return run.fingerprint


class _Writer:
    """A table on its way into a file."""

    def __init__(self, folder: Path, name: str, columns: Sequence[str]) -> None:
        self._columns = columns
        self.file = (folder / f"{name}.csv").open("w", encoding="utf-8", newline="")
        self._csv = csv.writer(self.file, lineterminator="\n")
        self._csv.writerow(columns)

    def row(self, row: Mapping[str, Cell]) -> None:
        self._csv.writerow([_cell(row[column]) for column in self._columns])


class _Found:
    """A sink that writes what a run finds into files, as it is found."""

    def __init__(self, folder: Path) -> None:
        self._movements = _Writer(folder, "movements", tables.MOVEMENTS)
        self._disposals = _Writer(folder, "disposals", tables.DISPOSALS)
        self._income = _Writer(folder, "income", tables.INCOME)
        self._problems = _Writer(folder, "problems", tables.PROBLEMS)

    def __enter__(self) -> _Found:
        return self

    def __exit__(self, *_: object) -> None:
        for writer in (self._movements, self._disposals, self._income, self._problems):
            writer.file.close()

    def line(self, number: int, line: Line) -> None:
        self._movements.row(tables.movement(number, line))

    def sold(self, sold: Sold) -> None:
        self._disposals.row(tables.disposal(sold))

    def earned(self, income: Income) -> None:
        self._income.row(tables.income(income))

    def problem(self, number: int, problem: Problem) -> None:
        self._problems.row(tables.problem(problem))

    def chapter(self, number: int, changed: Changed, held: Held, following: State | None) -> None:
        """The bundle has no chapters."""


def _table(folder: Path, name: str, table: Table) -> None:
    columns, rows = table
    writer = _Writer(folder, name, columns)
    with writer.file:
        for row in rows:
            writer.row(row)


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, str):
        return neutral(value)
    return str(value) if isinstance(value, int) else plain(value)


def _digest(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        for piece in _pieces(file):
            digest.update(piece)
    return digest.hexdigest()


def _zip(folder: Path, now: datetime, out: IO[bytes]) -> None:
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            info = ZipInfo(f"holdfast-gains/{path.name}", now.timetuple()[:6])
            info.compress_type = ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            with path.open("rb") as file, archive.open(info, "w", force_zip64=True) as member:
                for piece in _pieces(file):
                    member.write(piece)


def _pieces(file: IO[bytes]) -> Iterable[bytes]:
    while piece := file.read(PIECE):
        yield piece
