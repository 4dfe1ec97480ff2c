"""The accountant's bundle: its own program finds everything again, and notices what is changed."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from exchanges.catalog import ExchangeName
from exchanges.records import Kind
from portfolio import bundle, transfers
from portfolio.corrections import correct_cost
from portfolio.models import GainsChoice, Proof, TransferMatch
from portfolio.models.gains import METHODS
from tests.conftest import make_connection
from tests.portfolio.rates_rows import NOW, make_day
from tests.portfolio.valuation_rows import at, make_entry


@pytest.fixture
def history(alice: User) -> User:
    """Three years with everything in them: trades, fees in assets, income, transfers, corrections, a shortfall."""
    here = make_connection(alice, label="=BTSE")
    there = make_connection(alice, ExchangeName.TETHER, label="Tether")
    for day in ("2023-05-01", "2024-02-10", "2024-03-01", "2024-07-07", "2025-01-09", "2025-04-04"):
        make_day("BTC", date.fromisoformat(day), "33333.333333333333333333")
        make_day("USDT", date.fromisoformat(day), "0.9997")
    make_entry(here, Kind.DEPOSIT, at("2023-05-01"), "3 BTC")
    given = make_entry(here, Kind.DEPOSIT, at("2023-05-01", 13), "0.7 BTC")
    make_entry(here, Kind.TRADE, at("2024-02-10"), "-0.7 BTC", "30000 USDT", "-0.001 BTC fee")
    make_entry(here, Kind.TRADE, at("2024-03-01"), "0.333333 BTC", "-9999.99 USDT", "-3.1 USDT fee")
    make_entry(here, Kind.WITHDRAWAL, at("2024-03-01", 14), "-1 BTC", "-0.0005 BTC fee")
    make_entry(there, Kind.DEPOSIT, at("2024-03-01", 15), "1 BTC")
    make_entry(there, Kind.INCOME, at("2024-07-07"), "0.01 BTC")
    make_entry(there, Kind.WITHDRAWAL, at("2024-07-07", 18), "-0.25 BTC")
    make_entry(here, Kind.TRADE, at("2025-01-09"), "-1.2 BTC", "50000 USD", "-7 USD fee")
    make_entry(there, Kind.TRADE, at("2025-04-04"), "-5 BTC", "150000 USD")
    correct_cost(alice, given, Decimal(12345), NOW)
    transfers.suggest(alice, NOW)
    transfers.confirm(TransferMatch.objects.get(), alice, NOW)
    Proof.objects.create(
        connection=here,
        asset="BTC",
        end=NOW,
        opening=1,
        postings=2,
        closing=4,
        residual=1,
        verdict="unexplained",
    )
    return alice


def unpacked(user: User, folder: Path) -> Path:
    """The bundle as a folder."""
    made = BytesIO()
    bundle.write(user, NOW, made)
    with ZipFile(made) as archive:
        archive.extractall(folder)
    return folder / "holdfast-gains"


def verified(folder: Path) -> subprocess.CompletedProcess[str]:
    """What its own program says, run alone: no path to the product, no packages."""
    command = [sys.executable, "-I", "-S", str(folder / "verify.py")]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


@pytest.mark.parametrize("per_account", [False, True], ids=["together", "apart"])
@pytest.mark.parametrize("method", [name for name, _ in METHODS])
def test_everything_is_found_again(history: User, tmp_path: Path, method: str, per_account: bool) -> None:
    GainsChoice.objects.create(user=history, method=method, per_account=per_account)
    done = verified(unpacked(history, tmp_path))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    last = "2024" if method == "uk" else "2025"  # the last sale is of 4 April 2025
    assert done.stdout.endswith("\nEQUAL\n") and f"{last}: realised" in done.stdout


def test_methods_that_change_with_the_year_are_found_again(history: User, tmp_path: Path) -> None:
    GainsChoice.objects.create(user=history, method="hifo")
    GainsChoice.objects.create(user=history, since_year=2024, method="average")
    GainsChoice.objects.create(user=history, since_year=2025, method="fifo", per_account=True)
    done = verified(unpacked(history, tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "old", "new", "noticed"),
    [
        ("ledger.csv", "-1.2", "-1.3", "ledger.csv was changed"),
        ("totals.csv", "2025", "2026", "the totals differ"),
        ("lots.csv", "USDT", "ETH", "the open lots differ"),
        ("disposals.csv", "-07", "-08", "was changed"),
        ("prices.csv", "33333", "33334", "is not quantity x price"),
        ("proofs.csv", ",4,", ",5,", "does not add up"),
        ("choices.csv", "lifo", "fifo", "the disposals differ"),
    ],
)
def test_a_changed_file_is_noticed(
    history: User, tmp_path: Path, name: str, old: str, new: str, noticed: str
) -> None:
    GainsChoice.objects.create(user=history, method="lifo")
    folder = unpacked(history, tmp_path)
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1))
    done = verified(folder)
    assert done.returncode == 1 and noticed in done.stdout, done.stdout + done.stderr


def test_no_cell_is_a_formula_and_nothing_of_others_is_in_it(
    history: User, bob: User, tmp_path: Path
) -> None:
    make_entry(make_connection(bob, label="canary"), Kind.DEPOSIT, NOW, "1 BTC")
    folder = unpacked(history, tmp_path)
    text = (folder / "ledger.csv").read_text()
    assert "'=BTSE" in text and ",=BTSE" not in text and "canary" not in text


def test_a_user_without_anything_gets_a_bundle_that_is_equal(charlie: User, tmp_path: Path) -> None:
    assert verified(unpacked(charlie, tmp_path)).stdout.endswith("EQUAL\n")


changes = st.tuples(*[st.tuples(st.sampled_from([name for name, _ in METHODS]), st.booleans())] * 3)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chosen=changes)
def test_whatever_is_chosen_the_program_agrees(
    history: User, tmp_path_factory: pytest.TempPathFactory, chosen: tuple[tuple[str, bool], ...]
) -> None:
    GainsChoice.objects.all().delete()
    for year, (method, per_account) in zip((0, 2024, 2025), chosen, strict=True):
        GainsChoice.objects.create(user=history, since_year=year, method=method, per_account=per_account)
    done = verified(unpacked(history, tmp_path_factory.mktemp("bundle")))
    assert done.returncode == 0, done.stdout + done.stderr
