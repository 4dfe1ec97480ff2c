"""Reading one stretch again asks for that stretch: by time, or page by page until older rows come."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from accounts.models import User
from portfolio import sync
from portfolio.models import Coverage, Raw, Run, RunState, Transaction
from tests.portfolio.desks import Desk, desk

pytestmark = pytest.mark.django_db
LISTS = {"btse": "wallet_history", "tether": "transactions", "tokens_net": "trades"}


def asked(at: Desk, since: timedelta, until: timedelta) -> tuple[datetime, datetime]:
    """A wish of the user for the stretch that began and ended so long ago."""
    at.later(3600)
    now = at.at.clock.now()
    stretch = (now - since, now - until)
    assert sync.read_hole_again(at.connection, LISTS[at.connection.exchange], *stretch, now)
    return stretch


def missed(at: Desk, stretch: tuple[datetime, datetime]) -> set[str]:
    """Rows of the stretch are not in the store, as if they had never been heard of; their ids."""
    lost = Transaction.objects.of(at.connection).filter(occurred_at__range=stretch)
    lost = lost.filter(raw__stream=LISTS[at.connection.exchange])
    ids = set(lost.values_list("external_id", flat=True))
    raws = set(lost.values_list("raw_id", flat=True))
    lost.delete()
    Raw.objects.filter(pk__in=raws).delete()
    return ids


@pytest.mark.parametrize("exchange", LISTS)
def test_what_was_missed_in_a_stretch_is_found(alice: User, exchange: str) -> None:
    at = desk(alice, exchange, world={"live": False})
    at.sync()
    stretch = asked(at, timedelta(days=60), timedelta(days=20))
    lost = missed(at, stretch)
    before = len(at.at.app.log)

    assert at.sync().state is RunState.OK

    assert lost
    assert set(Transaction.objects.filter(external_id__in=lost).values_list("external_id", flat=True)) == lost
    assert len(at.at.app.log) - before < 40
    row = Coverage.objects.of(at.connection).get(stream=LISTS[exchange])
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
