"""Accounts of own entries are compared with what their owner entered; what users said to gains outlives a rebuild."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from accounts.models import Connection, User
from exchanges.records import Kind
from portfolio import corrections, gains, tasks
from portfolio.models import (
    BalanceSnapshot,
    Correction,
    CorrectionKind,
    DailyHolding,
    GainLot,
    ManualEntry,
    ManualKind,
    Posting,
    Raw,
    Transaction,
)
from portfolio.sync import own
from tests.exchanges.clocks import VirtualClock
from tests.portfolio.desks import desk

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def enter(user: User, kind: ManualKind, quantity: str, days_ago: int, **fields: Any) -> Correction:
    """A row that the user typed in, and the worker who takes it up."""
    identity = f"t{ManualEntry.objects.count()}"
    fields = {"account": "Ledger", "asset": "BTC", "identity": identity, "kind": kind} | fields
    at = NOW - timedelta(days=days_ago)
    entry = ManualEntry(quantity=Decimal(quantity), occurred_at=at, **fields)
    return corrections.enter(user, entry, NOW - timedelta(hours=2))


def tell() -> None:
    """What the dispatcher lets workers do."""
    for pk in own.behind():
        tasks.tell(pk, VirtualClock(NOW - timedelta(hours=1)))


@pytest.fixture
def ledger(alice: User) -> Iterator[Connection]:
    """An account with purchases, one of them taken back, two rows of one moment, and a transfer to another."""
    enter(alice, ManualKind.BUY, "2", 40)
    gone = enter(alice, ManualKind.BUY, "0.7", 30)
    tell()
    corrections.undo(gone, NOW - timedelta(hours=1))
    enter(alice, ManualKind.INCOME, "0.1", 20, asset="ETH")
    enter(alice, ManualKind.SPEND, "0.5", 10)
    enter(alice, ManualKind.BUY, "0.25", 10)
    enter(alice, ManualKind.TRANSFER, "0.5", 3, to_account="Safe")
    tell()
    with time_machine.travel(NOW, tick=False):
        yield Connection.objects.get(label="Ledger")


def rebuild(**options: Any) -> str:
    """What the command prints."""
    out = io.StringIO()
    call_command("rebuild", stdout=out, **options)
    return out.getvalue()


def stored() -> list[list[dict[str, Any]]]:
    """All that was written of own entries; their last balances hold until they are looked at again."""
    hidden = {"id", "last_seen"}
    tables = (Transaction, Posting, BalanceSnapshot, DailyHolding)
    rows = [list(model._default_manager.values()) for model in tables]
    return [
        sorted(({k: v for k, v in r.items() if k not in hidden} for r in table), key=str) for table in rows
    ]


def test_what_stands_is_what_was_entered(ledger: Connection) -> None:
    before = stored()

    assert rebuild().count("identical") == 2
    assert "(6 transactions, 6 postings, " in rebuild(connection=ledger.pk)
    assert "nothing" not in rebuild(write=True)
    assert stored() == before


DAMAGE: dict[str, tuple[Callable[[], object], str]] = {
    "an amount changed": (
        lambda: Posting.objects.filter(amount=2).update(amount=3),
        "posting own t0 BTC principal: stands amount 3; raw says amount 2",
    ),
    "a kind changed": (
        lambda: Transaction.objects.filter(external_id="t0").update(kind="income"),
        "transaction own t0: stands kind income; raw says kind deposit",
    ),
    "what was taken back counts": (
        lambda: Transaction.objects.filter(external_id="t1").update(status="completed"),
        "transaction own t1: stands status completed; raw says status cancelled",
    ),
    "a row lost": (
        lambda: Transaction.objects.get(external_id="t2").delete(),
        "transaction own t2: stands no such row; raw says kind income",
    ),
    "a balance changed": (
        lambda: BalanceSnapshot.objects.filter(asset="ETH").update(total=9),
        "balance ETH 2026-04-14T12:00:00+00:00: stands total 9; raw says total 0.1",
    ),
    "a quantity changed": (
        lambda: DailyHolding.objects.filter(asset="ETH", day="2026-04-20").update(quantity=9),
        "daily holding ETH 2026-04-20: stands quantity 9; raw says quantity 0.1",
    ),
}


@pytest.mark.parametrize(("hurt", "said"), DAMAGE.values(), ids=list(DAMAGE))
def test_a_row_that_was_tampered_with_is_named_and_put_right(
    ledger: Connection, hurt: Callable[[], object], said: str
) -> None:
    before = stored()
    hurt()

    with pytest.raises(CommandError, match=r"differs: 1 ") as found:
        rebuild()

    assert said in str(found.value)
    assert "put right" in rebuild(write=True)
    assert rebuild().count("identical") == 2
    if said.split()[-1] != "income":  # A lost row comes back under a key of its own.
        assert stored() == before


def test_all_of_it_can_be_lost_but_what_was_entered(ledger: Connection) -> None:
    held = set(BalanceSnapshot.objects.filter(newest=True).values_list("connection", "asset", "total"))
    Transaction.objects.all().delete()
    BalanceSnapshot.objects.all().delete()

    rebuild(write=True)

    assert rebuild().count("identical") == 2
    newest = BalanceSnapshot.objects.filter(newest=True)
    assert set(newest.values_list("connection", "asset", "total")) == held


def test_a_row_without_its_record_is_named_and_nothing_is_swapped(ledger: Connection) -> None:
    before = stored()
    Raw.objects.filter(source_id="t2").update(digest="0" * 64)

    with pytest.raises(CommandError, match=r"raw record own t2: stands stored.*never written down"):
        rebuild()
    with pytest.raises(CommandError, match="nothing was swapped"):
        rebuild(write=True)
    assert stored() == before


def test_rows_that_were_just_entered_are_written_first(alice: User, ledger: Connection) -> None:
    enter(alice, ManualKind.BUY, "1", 1)

    assert rebuild().count("identical") == 2
    assert own.behind() == []


def test_what_was_said_to_gains_outlives_a_rebuild(alice: User) -> None:
    at = desk(alice, "btse", world={"empty": True})
    at.at.world.btse.add("Deposit", "BTC", "2", id="1", at=at.ahead(-40 * 86_400))
    at.at.world.btse.add("Withdraw", "BTC", "0.5", id="2", at=at.ahead(-5 * 86_400))
    at.sync()
    at.later(1)
    at.tell()
    now = at.at.clock.now()
    row = Transaction.objects.get(kind=Kind.DEPOSIT)
    Correction.objects.create(user=alice, kind=CorrectionKind.COST, transaction=row, amount=Decimal(1234))
    gains.compute(alice, now)
    before = [(lot.quantity, lot.cost) for lot in GainLot.objects.for_user(alice)]
    Posting.objects.update(amount=1)
    Transaction.objects.update(kind="other")
    DailyHolding.objects.all().delete()

    with time_machine.travel(now, tick=False):
        rebuild(write=True)
    gains.compute(alice, now)

    assert sum(cost for _, cost in before) == 1234
    assert [(lot.quantity, lot.cost) for lot in GainLot.objects.for_user(alice)] == before
