"""Reading one stretch again asks for that stretch: by time, or page by page until older rows come."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from accounts.models import User
from exchanges.sandbox.world.tokens_net import trade_row
from portfolio import sync
from portfolio.models import Coverage, Raw, Run, RunState, Transaction
from tests.portfolio.desks import Desk, desk

pytestmark = pytest.mark.django_db
MAIN = {"btse": "wallet_history", "tether": "transactions", "tokens_net": "trades"}
LISTS = [*MAIN.items(), ("btse", "trades")]


def asked(at: Desk, since: timedelta, until: timedelta, stream: str = "") -> tuple[datetime, datetime]:
    """A wish of the user for the stretch that began and ended so long ago."""
    at.later(3600)
    now = at.at.clock.now()
    stretch = (now - since, now - until)
    assert sync.read_hole_again(at.connection, stream or MAIN[at.connection.exchange], *stretch, now)
    return stretch


def missed(at: Desk, stretch: tuple[datetime, datetime], stream: str = "") -> set[str]:
    """Rows of the stretch are not in the store, as if they had never been heard of; their ids."""
    lost = Transaction.objects.of(at.connection).filter(occurred_at__range=stretch)
    lost = lost.filter(raw__stream=stream or MAIN[at.connection.exchange])
    ids = set(lost.values_list("external_id", flat=True))
    raws = set(lost.values_list("raw_id", flat=True))
    lost.delete()
    Raw.objects.filter(pk__in=raws).delete()
    return ids


@pytest.mark.parametrize(("exchange", "stream"), LISTS)
def test_what_was_missed_in_a_stretch_is_found(alice: User, exchange: str, stream: str) -> None:
    at = desk(alice, exchange, world={"live": False})
    at.sync()
    stretch = asked(at, timedelta(days=50), timedelta(days=20), stream)
    lost = missed(at, stretch, stream)
    before = len(at.at.app.log)

    assert at.sync().state is RunState.OK

    assert lost
    assert set(Transaction.objects.filter(external_id__in=lost).values_list("external_id", flat=True)) == lost
    assert len(at.at.app.log) - before < 40
    row = Coverage.objects.of(at.connection).get(stream=stream)
    assert (row.hole_from, row.hole_until) == (None, None)
    assert any(a <= stretch[0].isoformat() and stretch[1].isoformat() <= b for a, b in row.spans)
    assert "Asked to read" in Run.objects.latest("pk").story[0]
    at.assert_true()


@pytest.mark.parametrize("exchange", ["tether", "tokens_net"])
def test_pages_older_than_the_stretch_are_not_asked_for(alice: User, exchange: str) -> None:
    at = desk(alice, exchange, world={"live": False}, page_size=5)
    at.sync()
    pages = at.paths("/page/" if exchange == "tether" else "trades/all")
    asked(at, timedelta(days=15), timedelta(days=5))

    at.sync()

    again = at.paths("/page/" if exchange == "tether" else "trades/all") - pages
    assert 0 < again < pages / 2


def test_a_long_stretch_goes_on_over_turns_and_kills(alice: User) -> None:
    at = desk(alice, "tether", world={"live": False}, page_size=5)
    at.sync()
    stretch = asked(at, timedelta(days=150), timedelta(days=20))
    lost = missed(at, stretch)
    for call in (3, 5, 6):
        at.sync_killed_at_request(call)
        at.later(60)

    at.sync()

    assert lost
    at.assert_true()


def test_fills_of_a_stretch_are_asked_for_in_every_market_over_turns_and_kills(alice: User) -> None:
    at = desk(alice, "btse", world={"live": False})
    at.sync()
    stretch = asked(at, timedelta(days=50), timedelta(days=10), "trades")
    lost = missed(at, stretch, "trades")
    for call in (6, 7, 8):
        at.sync_killed_at_request(call)
        at.later(60)

    at.sync()

    assert len(lost) > 2
    at.assert_true()


def filled(at: Desk) -> str:
    """An order that was open when it was first read and has been filled in two trades since; its id."""
    began = at.at.clock.now().replace(microsecond=0)
    world = at.at.world.tokens_net
    world.add("deposit", "BTC", "1", at=began - timedelta(days=1))
    fills = tuple(
        trade_row(
            "btcusdt", "sell", Decimal("0.5"), Decimal(9000), id=id, at=began + timedelta(minutes=after)
        )
        for id, after in (("900001", 5), ("900003", 20))
    )
    ends = began + timedelta(minutes=30)
    order = world.add_order("btcusdt", "sell", "1", "9000", fills=fills, at=began, ends=ends)
    at.sync()
    at.later(3600)
    at.sync()
    return str(order.id)


def test_orders_of_a_stretch_are_asked_for_again_by_their_ids(alice: User) -> None:
    at = desk(alice, "tokens_net", world={"empty": True}, documented_only=True)
    path = f"/private/orders/get/{filled(at)}/"
    at.later(3600)
    at.sync()
    before = at.paths(path)
    left_out = Transaction.objects.filter(external_id="900003")
    Raw.objects.filter(pk=left_out.get().raw_id).update(digest="of an answer without that trade")
    left_out.delete()

    asked(at, timedelta(hours=6), timedelta(minutes=10), "orders")
    at.sync()
    at.later(3600)
    at.sync()

    assert at.paths(path) == before + 1
    assert set(at.moves()) == {"900001", "900003"}


def test_orders_outside_the_stretch_are_not_asked_for(alice: User) -> None:
    at = desk(alice, "tokens_net", world={"empty": True}, documented_only=True)
    path = f"/private/orders/get/{filled(at)}/"
    before = at.paths(path)

    asked(at, timedelta(days=6), timedelta(days=2), "orders")
    at.sync()

    assert at.paths(path) == before
    assert Coverage.objects.of(at.connection).get(stream="orders").hole_from is None
