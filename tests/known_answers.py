"""Published worked examples and real prices kept beside the project; absent in a bare checkout."""

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def all_names() -> list[str]:
    """The ids of all worked examples; none where the file is not there."""
    path = _DATA / "known-answers.json"
    return [case["id"] for case in json.loads(path.read_text())] if path.exists() else []


def known_answer(name: str) -> dict[str, Any]:
    """One worked example by its id; the test is skipped where the file is not there."""
    path = _DATA / "known-answers.json"
    if not path.exists():
        pytest.skip("../shared/data/known-answers.json is not beside this checkout.")
    cases: list[dict[str, Any]] = json.loads(path.read_text())
    return next(case for case in cases if case["id"] == name)


def closes(asset: str) -> list[tuple[str, Decimal]]:
    """The real daily closes of an asset: date and price in USD."""
    path = _DATA / "prices" / f"{asset}.csv"
    if not path.exists():
        pytest.skip(f"../shared/data/prices/{asset}.csv is not beside this checkout.")
    with path.open(newline="") as file:
        return [(row["date"], Decimal(row["close_usd"])) for row in csv.DictReader(file)]
