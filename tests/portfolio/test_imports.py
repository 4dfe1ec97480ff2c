"""A file of one's own transactions: looked at first, never twice, and the same when it comes out again."""

from __future__ import annotations

import csv
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from portfolio.csvfile import UnreadableFile, neutral, original
from portfolio.imports import COLUMNS, MOST_BYTES, commit, exported, guess, preview, read, stage, undo
from portfolio.models import ImportBatch, ImportState, ManualEntry
from tests.portfolio.rates_rows import NOW

HEAD = ",".join(COLUMNS)
PLAIN = {column: column for column in COLUMNS}
BUY = ",2025-01-01T00:00:00Z,Safe,,buy,BTC,1.5,60000,12,first"
FILE = f"{HEAD}\n{BUY}\n{BUY}\nx-7,2025-02-01T00:00:00Z,,,sell,BTC,0.5,30000,,=1+1\n"


def staged(user: User, text: str = FILE) -> ImportBatch:
    """A file that waits for its user."""
    return stage(user, "mine.csv", text.encode(), "Manual", NOW)


def as_file(user: User) -> str:
    """All active own rows as a file."""
    out = StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(exported(ManualEntry.objects.for_user(user).active().order_by("occurred_at", "pk")))
    return out.getvalue()


def test_a_preview_writes_nothing(alice: User) -> None:
    found = preview(staged(alice))
    assert (len(found.new), found.known, found.errors) == (3, 0, ())
    assert not ManualEntry.objects.exists()


def test_imported_twice_is_imported_once_and_equal_rows_are_two(alice: User) -> None:
    assert commit(staged(alice), NOW) == 3
    again = staged(alice)
    assert preview(again).known == 3
    assert commit(again, NOW) == 0 and ManualEntry.objects.count() == 3
    assert commit(again, NOW) == 0


def test_a_row_without_account_is_in_the_account_of_the_file(alice: User) -> None:
    commit(staged(alice), NOW)
    assert ManualEntry.objects.get(source_id="x-7").account == "Manual"


def test_an_import_can_be_undone_and_done_again(alice: User) -> None:
    batch = staged(alice)
    commit(batch, NOW)
    batch.refresh_from_db()
    undo(batch, NOW)
    assert not ManualEntry.objects.active().exists() and batch.state == ImportState.UNDONE
    assert commit(staged(alice), NOW) == 3


def test_what_comes_out_goes_in_and_comes_out_the_same(alice: User, bob: User) -> None:
    commit(staged(alice), NOW)
    text = as_file(alice)
    assert "'=1+1" in text
    commit(staged(bob, text), NOW)
    assert as_file(bob) == text
    assert commit(staged(alice, text), NOW) == 0


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ("x", "it has 1 cells, the header 10."),
        (BUY.replace("buy", "steal"), "the kind 'steal' is not one of buy, sell, income, spend, transfer."),
        (BUY.replace("1.5", "NaN"), "the quantity 'NaN' is not a number."),
        (BUY.replace("1.5", "0"), "the quantity '0' is not above zero."),
        (BUY.replace("1.5", "1_000"), "the quantity '1_000' is not a number."),
        (BUY.replace("60000", "-1"), "the value_usd '-1' is below zero."),
        (BUY.replace("2025-01-01T00:00:00Z", "1.2.2025"), "the time '1.2.2025' is not ISO 8601"),
        (BUY.replace("2025", "0001", 1), "is not between 2009 and 2100."),
        (BUY.replace("BTC", ""), "an asset's name is missing"),
        (BUY.replace("buy", "transfer"), "a transfer needs a to_account."),
    ],
)
def test_what_cannot_be_read_is_told_by_line_and_the_rest_is_read(row: str, error: str) -> None:
    sheet = read(f"{HEAD}\n{BUY}\n{row}\n{BUY}\n", PLAIN, "Manual")
    (found,) = sheet.errors
    assert found.line == 3 and error in found.text
    assert len(sheet.rows) == 2


def test_an_id_counts_once_in_a_file() -> None:
    sheet = read(FILE + FILE.splitlines()[-1], PLAIN, "Manual")
    assert [error.line for error in sheet.errors] == [5]


def test_columns_are_guessed_by_common_names_and_can_be_chosen() -> None:
    columns = guess(["Date", "Type", "Currency", "Amount", "What for"])
    assert columns == {"time": "Date", "kind": "Type", "asset": "Currency", "quantity": "Amount"}
    text = "Date;Type;Currency;Amount;What for\n2025-01-01;Bought;usdt;5;tea\n"
    (row,) = read(text, columns | {"note": "What for"}, "Manual").rows
    assert (row.kind, row.asset, row.note, row.value_usd) == ("buy", "USDT", "tea", None)


@pytest.mark.parametrize("body", [b"", b"\n", b"a,b\0\n", b"\xff\xfe", b"x" * (MOST_BYTES + 1)], ids=range(5))
def test_what_is_no_table_is_refused(alice: User, body: bytes) -> None:
    with pytest.raises(UnreadableFile):
        stage(alice, "x", body, "Manual", NOW)


def test_a_needed_column_that_is_missing_is_named() -> None:
    with pytest.raises(UnreadableFile, match="asset, quantity"):
        read("time,kind\n1,2\n", {"time": "time", "kind": "kind"}, "Manual")


def test_two_users_may_import_the_same_file(alice: User, bob: User) -> None:
    assert (commit(staged(alice), NOW), commit(staged(bob), NOW)) == (3, 3)


@given(st.text(max_size=20))
def test_neutral_cells_are_no_formulas_and_stay_the_same_over_and_over(text: str) -> None:
    cell = neutral(text)
    assert not cell.startswith(("=", "+", "-", "@"))
    assert neutral(original(cell)) == cell
