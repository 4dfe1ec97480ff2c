"""The pages about gains: whose figures, whole and in part, how many queries, and what a stranger may do."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from exchanges.catalog import ExchangeName
from exchanges.records import Kind
from portfolio import bundle, gains, transfers
from portfolio.models import (
    BundlePiece,
    Correction,
    GainsBundle,
    GainsChoice,
    GainsState,
    ImportBatch,
    ManualEntry,
    MatchState,
    TransferMatch,
)
from portfolio.tasks import make_bundle
from tests.conftest import make_connection
from tests.portfolio.rates_rows import NOW
from tests.portfolio.valuation_rows import at, make_entry

HTMX = {"HX-Request": "true"}
PAGES = [
    "/gains/", "/gains/lots/", "/gains/questions/", "/gains/bundle/", "/transfers/", "/corrections/", "/import/",
]  # fmt: skip
EXPORTS = [
    "/gains/disposals.{}", "/gains/lots.{}", "/gains/totals.{}", "/gains/problems.{}", "/transfers/export.{}",
    "/corrections/export.{}", "/import/export.{}",
]  # fmt: skip


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent to a queue; what is wanted is read off the database."""
    monkeypatch.setattr("celery.app.task.Task.apply_async", lambda *_, **__: None)


@pytest.fixture
def canary(alice: User) -> User:
    """Alice's gains, with a name in them that nobody else may see."""
    here = make_connection(alice, label="=canary")
    there = make_connection(alice, ExchangeName.TETHER, label="there")
    make_entry(here, Kind.TRADE, at("2024-01-10"), "3 BTC", "-80000 USD")
    make_entry(here, Kind.TRADE, at("2025-06-01"), "-1 BTC", "60000 USD")
    make_entry(here, Kind.WITHDRAWAL, at("2025-06-02"), "-1 BTC")
    make_entry(there, Kind.DEPOSIT, at("2025-06-02", 13), "1 BTC")
    transfers.suggest(alice, NOW)
    gains.compute(alice, NOW)
    return alice


@pytest.mark.parametrize("address", PAGES)
def test_each_page_is_whole_and_in_part(as_alice: Client, canary: User, address: str) -> None:
    whole = as_alice.get(address)
    part = as_alice.get(address, headers=HTMX)
    assert whole.status_code == part.status_code == 200
    assert b"<html" in whole.content and b"<html" not in part.content


@pytest.mark.parametrize("address", PAGES)
def test_a_page_without_anything_says_so(as_charlie: Client, canary: User, address: str) -> None:
    response = as_charlie.get(address)
    assert response.status_code == 200 and b"canary" not in response.content


@pytest.mark.parametrize("form", ["csv", "json"])
@pytest.mark.parametrize("address", EXPORTS)
def test_exports_are_files_without_formulas_and_only_of_ones_own(
    as_alice: Client, as_charlie: Client, canary: User, address: str, form: str
) -> None:
    mine = b"".join(as_alice.get(address.format(form))).decode()
    theirs = b"".join(as_charlie.get(address.format(form))).decode()
    assert ",=canary" not in mine and "canary" not in theirs
    assert as_alice.get(address.format("exe")).status_code == 404


def test_the_year_shows_what_was_realised(as_alice: Client, canary: User) -> None:
    context = as_alice.get("/gains/").context
    assert context["year"] == 2025 and context["years"] == [(2025, "2025")]
    assert context["total"].gain == Decimal("33333.333333333333333333")
    assert [row.label for row in context["by_reason"]] == ["sale"]
    assert context["rows"][0].account == "=canary"


@pytest.mark.parametrize("year", ["", "0", "99999", "20²5", "-1", "x" * 500, "1999"])
def test_any_year_in_the_address_is_answered(as_alice: Client, canary: User, year: str) -> None:
    assert as_alice.get("/gains/", {"year": year, "after": year}).status_code == 200


@pytest.mark.parametrize("address", PAGES)
def test_the_number_of_queries_does_not_grow(as_alice: Client, canary: User, address: str) -> None:
    counts = []
    for number in range(2):
        with CaptureQueriesContext(database) as queries:
            as_alice.get(address)
        counts.append(len(queries))
        for n in range(25):
            here = canary.connections.order_by("pk").first()
            there = canary.connections.order_by("pk").last()
            assert here and there
            day = at("2025-07-01") + timedelta(days=n + 30 * number)
            make_entry(here, Kind.TRADE, day, "-0.001 BTC", f"-{n + 1} ETH")
            make_entry(here, Kind.WITHDRAWAL, day, f"-0.00{n + 1} BTC")
            make_entry(there, Kind.DEPOSIT, day, f"0.00{n + 1} BTC")
        transfers.suggest(canary, NOW)
        gains.compute(canary, NOW)
    assert counts[0] == counts[1] <= 12


def test_a_choice_is_kept_and_a_computation_wanted(as_alice: Client, canary: User) -> None:
    told = {"method": "hifo", "since_year": "2025", "withdrawals": "spent", "per_account": "on"}
    as_alice.post("/gains/choose/", told)
    choice = GainsChoice.objects.get()
    assert (choice.method, choice.since_year, choice.per_account) == ("hifo", 2025, True)
    assert GainsState.objects.get(user=canary).wanted_at
    as_alice.post("/gains/choose/", told | {"forget": "on"})
    assert not GainsChoice.objects.exists()


def test_a_choice_that_is_none_changes_nothing(as_alice: Client, canary: User) -> None:
    for told in ({}, {"method": "x"}, {"method": "fifo", "since_year": "1", "withdrawals": "moved"}):
        assert as_alice.post("/gains/choose/", told).status_code == 302
    assert not GainsChoice.objects.exists()


def test_a_pair_is_confirmed_rejected_and_taken_back(as_alice: Client, canary: User) -> None:
    match = TransferMatch.objects.get()
    for decision, state in (
        ("confirm", MatchState.CONFIRMED),
        ("forget", MatchState.SUGGESTED),
        ("reject", MatchState.REJECTED),
    ):
        assert as_alice.post(f"/transfers/{match.pk}/{decision}/").status_code == 302
        match.refresh_from_db()
        assert match.state == state
    assert as_alice.post(f"/transfers/{match.pk}/burn/").status_code == 404


def test_a_stranger_decides_nothing(as_charlie: Client, canary: User) -> None:
    match = TransferMatch.objects.get()
    assert as_charlie.post(f"/transfers/{match.pk}/confirm/").status_code == 404
    told = {"transaction": match.incoming_id, "amount": "1"}
    assert as_charlie.post("/corrections/add/cost/", told).status_code == 200
    assert not Correction.objects.exists()


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("cost", {"transaction": "in", "amount": "12.5"}),
        ("kind", {"transaction": "in", "treatment": "income"}),
        ("note", {"asset": "btc", "note": "=hello"}),
        ("price", {"asset": "usd₮", "day": "2025-01-01", "amount": "0.99"}),
        (
            "manual",
            {
                "kind": "buy", "account": "Safe", "asset": "BTC", "quantity": "1", "value_usd": "5",
                "occurred_at": "2025-01-01T10:00",
            },
        ),
    ],
)  # fmt: skip
def test_corrections_are_kept_and_can_be_undone_once(
    as_alice: Client, as_charlie: Client, canary: User, kind: str, told: dict[str, Any]
) -> None:
    told = {k: TransferMatch.objects.get().incoming_id if v == "in" else v for k, v in told.items()}
    assert as_alice.get(f"/corrections/add/{kind}/").status_code == 200
    assert as_alice.post(f"/corrections/add/{kind}/", told).status_code == 302
    said = Correction.objects.get()
    assert (said.author, said.kind, said.undone_at) == (canary, kind, None)
    assert as_alice.get("/corrections/").status_code == 200
    undo = f"/corrections/{said.pk}/undo/"
    codes = [client.post(undo).status_code for client in (as_charlie, as_alice, as_alice)]
    assert codes == [404, 302, 404]
    assert not ManualEntry.objects.active().exists()


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("cost", {"transaction": "999999", "amount": "1"}),
        ("cost", {"transaction": "in", "amount": "NaN"}),
        ("cost", {"transaction": "in", "amount": "1e400"}),
        ("kind", {"transaction": "in", "treatment": "spent"}),
        ("note", {"note": "about nothing"}),
        ("price", {"asset": "BTC", "day": "2025-01-01", "amount": "0"}),
        ("manual", {"kind": "transfer", "account": "a", "asset": "BTC", "quantity": "-1"}),
    ],
)
def test_what_cannot_be_meant_is_refused_beside_its_field(
    as_alice: Client, canary: User, kind: str, told: dict[str, Any]
) -> None:
    told = {k: TransferMatch.objects.get().incoming_id if v == "in" else v for k, v in told.items()}
    response = as_alice.post(f"/corrections/add/{kind}/", told)
    assert response.status_code == 200 and response.context["form"].errors
    assert not Correction.objects.exists()


def test_a_file_is_looked_at_mapped_imported_and_undone(
    as_alice: Client, as_charlie: Client, alice: User
) -> None:
    text = "Date,Type,Coin,Size,Worth\n2025-01-01,buy,BTC,1,5\nnever,buy,BTC,1,5\n"
    file = SimpleUploadedFile("mine.csv", text.encode(), "text/csv")
    address = as_alice.post("/import/", {"file": file, "account": "Safe"})["Location"]
    assert as_charlie.get(address).status_code == 404
    shown = as_alice.get(address)
    assert (shown.context["new"], shown.context["refused"]) == (1, 1)
    assert b"Line 3: the time" in shown.content and not ManualEntry.objects.exists()
    columns = {"time": "Date", "kind": "Type", "asset": "Coin", "quantity": "Size", "value_usd": "Worth"}
    as_alice.post(f"{address}columns/", columns)
    assert as_charlie.post(f"{address}commit/").status_code == 404
    as_alice.post(f"{address}commit/")
    assert ManualEntry.objects.get().value_usd == 5
    assert as_alice.get(address).status_code == 404
    as_alice.post(f"{address}undo/")
    assert not ManualEntry.objects.active().exists() and ImportBatch.objects.get().content == ""


def test_a_file_without_the_needed_columns_asks_for_them(as_alice: Client, alice: User) -> None:
    file = SimpleUploadedFile("mine.csv", b"a,b\n1,2\n", "text/csv")
    address = as_alice.post("/import/", {"file": file, "account": "Safe"})["Location"]
    response = as_alice.get(address)
    assert b"No column of the file is chosen for: time, kind, asset, quantity." in response.content
    assert as_alice.post(f"{address}commit/").status_code == 302 and not ManualEntry.objects.exists()


def test_a_bundle_is_ordered_made_and_handed_out_to_its_owner(
    as_alice: Client, as_charlie: Client, canary: User
) -> None:
    assert as_alice.get("/gains/bundle.zip").status_code == 404
    assert as_alice.post("/gains/bundle/order/").status_code == 302
    assert b"Being made" in as_alice.get("/gains/bundle/", headers=HTMX).content
    assert bundle.waiting(NOW) == [canary.pk]
    make_bundle(canary.pk)
    assert b"Download" in as_alice.get("/gains/bundle/").content
    response = as_alice.get("/gains/bundle.zip")
    body = b"".join(response)
    assert body.startswith(b"PK") and response["Content-Length"] == str(len(body))
    assert as_charlie.get("/gains/bundle.zip").status_code == 404


def test_a_new_bundle_takes_the_place_of_the_last_and_an_old_one_is_dropped(canary: User) -> None:
    for _ in range(2):
        bundle.want(canary, NOW)
        bundle.make(canary, NOW)
    assert set(BundlePiece.objects.values_list("edition", flat=True)) == {2}
    bundle.drop_old(NOW + timedelta(days=6))
    assert GainsBundle.objects.exists()
    bundle.drop_old(NOW + timedelta(days=8))
    assert not GainsBundle.objects.exists() and not BundlePiece.objects.exists()


def test_before_the_first_report_no_figure_is_shown_as_zero(as_alice: Client) -> None:
    text = as_alice.get("/gains/").content.decode()

    assert "No gains yet" in text
    assert "$0.00" not in text
