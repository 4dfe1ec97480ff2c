"""`manage.py export`: exactly the promised fields, amounts as text, nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from portfolio.exports.write import neutral
from portfolio.models import Posting, Transaction
from tests.portfolio.desks import Desk, desk

pytestmark = pytest.mark.django_db
FIELDS = {
    "balances": "connection exchange asset total available as_of price_usd value_usd",
    "ledger": "connection exchange external_id kind status occurred_at description postings",
    "proofs": "connection asset from until opening postings closing residual verdict",
}


@pytest.fixture
def at(alice: User) -> Desk:
    """A short life at BTSE, read and told."""
    found = desk(alice, "btse", world={"years": 0.1, "live": False})
    found.sync()
    found.tell()
    return found


def export(what: str, **options: Any) -> str:
    """What the command prints."""
    out = io.StringIO()
    call_command("export", what, stdout=out, **{"user": "alice@example.org", **options})
    return out.getvalue()


def lines(what: str, **options: Any) -> list[dict[str, Any]]:
    """The JSON lines."""
    return [json.loads(line) for line in export(what, **options).splitlines()]


@pytest.mark.parametrize("what", sorted(FIELDS))
def test_json_lines_have_exactly_the_promised_fields(at: Desk, what: str) -> None:
    rows = lines(what)

    assert rows
    assert {tuple(row) for row in rows} == {tuple(FIELDS[what].split())}


@pytest.mark.parametrize("what", sorted(FIELDS))
def test_csv_says_the_same_as_json(at: Desk, what: str) -> None:
    rows = list(csv.DictReader(io.StringIO(export(what, form="csv"))))

    assert [row["connection"] for row in rows] == [row["connection"] for row in lines(what)]
    assert list(rows[0]) == FIELDS[what].split()


def test_balances_are_what_the_exchange_says(at: Desk) -> None:
    assert {row["asset"]: Decimal(row["total"]) for row in lines("balances")} == at.at.totals()


def test_one_line_for_each_of_the_exchanges_own_ids(at: Desk) -> None:
    rows = lines("ledger")

    assert {row["external_id"] for row in rows} == at.at.ids()
    assert len(rows) == len({row["external_id"] for row in rows})


def test_postings_of_completed_lines_sum_to_the_balances(at: Desk) -> None:
    sums: dict[str, Decimal] = {}
    for row in lines("ledger"):
        for posting in row["postings"] if row["status"] == "completed" else ():
            sums[posting["asset"]] = sums.get(posting["asset"], Decimal(0)) + Decimal(posting["amount"])

    assert {asset: total for asset, total in sums.items() if total} == at.at.totals()


def test_legs_of_one_id_are_one_line(at: Desk) -> None:
    row = Transaction.objects.filter(status="completed").first()
    assert row is not None
    postings = list(row.postings.all())
    row.pk, row.leg = None, "another leg"
    row.save()
    Posting.objects.bulk_create(
        Posting(
            transaction=row,
            **{
                name: getattr(postings[0], name)
                for name in ("connection", "asset", "amount", "role", "kind", "occurred_at", "counts")
            },
        )
        for _ in range(1)
    )

    [line] = [line for line in lines("ledger") if line["external_id"] == row.external_id]
    assert len(line["postings"]) == len(postings) + 1


def test_times_are_utc_with_z(at: Desk) -> None:
    assert all(row["occurred_at"].endswith("Z") for row in lines("ledger"))
    assert all(row["until"].endswith("Z") for row in lines("proofs"))


def test_as_of_leaves_out_what_came_later(at: Desk) -> None:
    rows = lines("ledger")
    middle = rows[len(rows) // 2]["occurred_at"]

    assert all(row["occurred_at"] <= middle for row in lines("ledger", as_of=middle))
    assert lines("balances", as_of=str((at.at.clock.now() - timedelta(days=1)).date())) == []


def test_others_rows_are_not_exported(at: Desk, bob: User) -> None:
    assert lines("ledger", user="bob@example.org") == []


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\0"])
def test_no_text_starts_a_formula(at: Desk, start: str) -> None:
    Transaction.objects.update(description=f"{start}cmd|calc") if start != "\0" else None

    cells = [row["description"] for row in csv.DictReader(io.StringIO(export("ledger", form="csv")))]
    assert not any(cell.startswith(start) for cell in cells if start != "\0")
    assert neutral(f"{start}x") == f"'{start}x"


def test_numbers_stay_numbers(at: Desk) -> None:
    Posting.objects.counted().filter(asset="USDT")[:1].get().delete()
    at.later(60)
    at.sync()

    assert all(
        Decimal(row["residual"]) is not None
        for row in csv.DictReader(io.StringIO(export("proofs", form="csv")))
    )


@pytest.mark.parametrize("time", ["yesterday", "2026-13-01", "12:00"])
def test_a_time_that_is_none_is_refused_in_one_sentence(alice: User, time: str) -> None:
    with pytest.raises(CommandError, match="is no time"):
        export("ledger", as_of=time)


def test_an_unknown_user_is_refused_in_one_sentence(alice: User) -> None:
    with pytest.raises(CommandError, match="There is no user"):
        export("ledger", user="nobody@example.org")
