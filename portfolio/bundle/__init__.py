"""The accountant's bundle: all that the gains rest on as plain files, and a program that finds every total again.

The program (`verify.py`) is a resource: it is put into the ZIP, uses the standard library only, and shares no code
with the product.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from importlib.resources import files
from io import BytesIO, StringIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from accounts.models import User
from portfolio import gains
from portfolio.bundle.said import told_by_exchanges
from portfolio.bundle.tables import Cell, found
from portfolio.csvfile import neutral, plain
from portfolio.rates import FIAT

FORMAT = 1
Table = tuple[Sequence[str], Iterable[Mapping[str, Cell]]]


def make(user: User, now: datetime) -> bytes:
    """The bundle as a ZIP: found afresh, so that all its files speak of the same moment."""
    inputs = gains.read_inputs(user, now)
    tables: dict[str, Table] = told_by_exchanges(user) | found(gains.find(inputs))
    contents = {f"{name}.csv": _as_csv(*table) for name, table in tables.items()}
    for name in ("verify.py", "README.txt"):
        contents[name] = files(__name__).joinpath(name).read_bytes()
    manifest = {
        "format": FORMAT,
        "user": user.email,
        "made_at": now.isoformat().replace("+00:00", "Z"),
        "fingerprint": inputs.fingerprint,
        "money": sorted(FIAT),
        "files": {name: sha256(body).hexdigest() for name, body in sorted(contents.items())},
    }
    contents["manifest.json"] = json.dumps(manifest, indent=1).encode()
    return _zipped(contents, now)


def _as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Cell]]) -> bytes:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row[column]) for column in columns] for row in rows)
    return text.getvalue().encode()


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


def _zipped(contents: Mapping[str, bytes], now: datetime) -> bytes:
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for name, body in sorted(contents.items()):
            info = ZipInfo(f"holdfast-gains/{name}", now.timetuple()[:6])
            info.compress_type = ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, body)
    return out.getvalue()
