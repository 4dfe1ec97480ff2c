"""A user's own rows as an account: what they come to, that nothing is counted twice, and that it can be undone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Connection, State, User
from portfolio import corrections, gains, imports, tasks, valuation
from portfolio.models import (
    BalanceSnapshot,
    Correction,
    DailyHolding,
    GainLot,
    ManualEntry,
    ManualKind,
    Posting,
    Proof,
    Raw,
    Transaction,
)
from portfolio.sync import own
from tests.conftest import make_connection
from tests.exchanges.clocks import VirtualClock

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def enter(user: User, kind: ManualKind, quantity: str, days_ago: int = 10, **fields: Any) -> Correction:
    """A row that the user typed in."""
    fields = {"account": "Ledger", "asset": "BTC", "identity": f"t{ManualEntry.objects.count()}"} | fields
    at = NOW - timedelta(days=days_ago)
    return corrections.enter(
        user, ManualEntry(kind=kind, quantity=Decimal(quantity), occurred_at=at, **fields), NOW
    )


def tell() -> None:
    """What the dispatcher lets workers do."""
    for pk in own.behind():
        tasks.tell(pk, VirtualClock(NOW))


def held(user: User) -> dict[tuple[str, str], Decimal]:
    """What the product says is held, by account and asset."""
    return {
        (h.connection.label, h.asset): h.quantity
        for h in valuation.portfolio_of(user, NOW).holdings
        if h.is_held
    }


def test_own_rows_are_held_like_anything_else(alice: User) -> None:
    enter(alice, ManualKind.BUY, "2")
    enter(alice, ManualKind.SPEND, "0.5", days_ago=3)
    enter(alice, ManualKind.INCOME, "0.1", days_ago=2, asset="ETH")

    tell()

    assert held(alice) == {("Ledger", "BTC"): Decimal("1.5"), ("Ledger", "ETH"): Decimal("0.1")}
    assert own.behind() == []


def test_the_past_is_known_from_the_first_row_to_today(alice: User) -> None:
    enter(alice, ManualKind.BUY, "2", days_ago=5)
    enter(alice, ManualKind.SELL, "0.5", days_ago=2)

    tell()

    days = DailyHolding.objects.order_by("day").values_list("quantity", "certainty")
    assert [str(quantity) for quantity, _ in days] == ["2", "2", "2", "1.5", "1.5", "1.5"]
    assert {certainty for _, certainty in days} == {"snapshot"}


def test_a_transfer_moves_between_own_accounts(alice: User) -> None:
    enter(alice, ManualKind.BUY, "2")
    enter(alice, ManualKind.TRANSFER, "0.5", days_ago=3, to_account="Safe")

    tell()

    assert held(alice) == {("Ledger", "BTC"): Decimal("1.5"), ("Safe", "BTC"): Decimal("0.5")}


def test_rows_about_an_account_at_an_exchange_do_not_touch_what_it_says(alice: User) -> None:
    make_connection(alice, label="Main")
    enter(alice, ManualKind.BUY, "2", account="main")
    enter(alice, ManualKind.TRANSFER, "0.5", account="Ledger", to_account="MAIN")

    tell()

    assert held(alice) == {("Ledger", "BTC"): Decimal("-0.5")}
    assert not Posting.objects.filter(connection__label="Main").exists()


def test_what_is_undone_is_no_longer_held_and_stays_as_a_record(alice: User) -> None:
    said = enter(alice, ManualKind.BUY, "2")
    tell()

    corrections.undo(said, NOW)
    tell()

    assert held(alice) == {}
    assert Transaction.objects.get().status == "cancelled"
    assert Raw.objects.count() == 2


def test_telling_twice_changes_nothing(alice: User) -> None:
    enter(alice, ManualKind.BUY, "2")
    tell()
    before = [list(model.objects.order_by("pk").values()) for model in (Raw, Transaction, Posting)]

    account = Connection.objects.get()
    assert own.write(account, VirtualClock(NOW))

    assert [list(model.objects.order_by("pk").values()) for model in (Raw, Transaction, Posting)] == before


def test_an_import_undone_and_imported_again_is_held_once(alice: User) -> None:
    body = b"time,kind,asset,quantity\n2026-04-01T00:00:00Z,buy,BTC,2\n"
    for _ in range(2):
        batch = imports.stage(alice, "x.csv", body, "Ledger", NOW)
        imports.commit(batch, NOW)
        tell()
        assert held(alice) == {("Ledger", "BTC"): Decimal(2)}
        batch.refresh_from_db()
        imports.undo(batch, NOW)
        tell()

    assert held(alice) == {}


def test_two_workers_do_not_write_one_account(alice: User) -> None:
    enter(alice, ManualKind.BUY, "2")
    account = Connection.objects.get()
    assert account.take_lease("another", NOW)

    tell()

    assert held(alice) == {}
    assert own.behind() == [account.pk]


def test_no_worker_reads_it_and_nothing_claims_to_be_proved(alice: User) -> None:
    enter(alice, ManualKind.BUY, "2")

    tell()

    account = Connection.objects.get()
    assert (account.state, account.has_key, account.known.label) == (State.PAUSED, False, "Own entries")
    assert not Proof.objects.exists()


def test_own_rows_reach_the_gains_once(alice: User) -> None:
    enter(alice, ManualKind.BUY, "2", value_usd=Decimal(100))
    tell()

    gains.compute(alice, NOW)

    assert [lot.quantity for lot in GainLot.objects.for_user(alice)] == [Decimal(2)]


ROWS = st.lists(
    st.tuples(st.sampled_from(ManualKind), st.integers(1, 10**12), st.integers(0, 5), st.sampled_from("ab")),
    max_size=8,
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_the_balance_is_the_sum_of_the_rows_whatever_their_order(
    alice: User, rows: list[tuple[ManualKind, int, int, str]]
) -> None:
    for rows_of in (ManualEntry, BalanceSnapshot, Transaction, Raw, Connection):
        rows_of.objects.all().delete()
    for kind, amount, days, account in rows:
        quantity = str(Decimal(amount).scaleb(-8))
        enter(
            alice,
            kind,
            quantity,
            days_ago=days,
            account=account,
            to_account="b" if kind == "transfer" else "",
        )
        tell()

    sums = {
        account.pk: sum(Posting.objects.of(account).values_list("amount", flat=True), Decimal(0))
        for account in Connection.objects.own()
    }
    newest = {row.connection_id: row.total for row in BalanceSnapshot.objects.newest()}
    assert newest == {pk: total for pk, total in sums.items() if pk in newest}
    assert all(total == 0 for pk, total in sums.items() if pk not in newest)
