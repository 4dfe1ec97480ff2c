"""A turn that finds nothing new costs little, and leaves what a turn that tells everything again would leave."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from accounts.models import State, User
from exchanges.catalog import ExchangeName
from portfolio import proofs, tasks
from portfolio.models import BalanceSnapshot, Coverage, Proof, Run, RunState, StreamRun, Trigger
from tests.exchanges.stands import every
from tests.portfolio.desks import Desk, desk

pytestmark = pytest.mark.django_db
MOST_STATEMENTS, MOST_WRITES = 45, 16
"""Of one idle turn with proofs and figures: what it reads first, one nonce a call, one transaction at its end."""


def turn(at: Desk) -> None:
    """A turn as the worker takes it, a while after the last."""
    at.later(900)
    with at.client() as client:
        tasks.bring_up_to_date(
            at.connection.pk, trigger=Trigger.COMMAND, clock=at.at.clock, client=client, seconds=20
        )


def settled(user: User, exchange: str) -> Desk:
    """A desk whose past was read and told."""
    at = desk(user, exchange, world={"years": 0.2, "live": False})
    for _ in range(3):
        turn(at)
    return at


@pytest.mark.parametrize("exchange", every())
def test_an_idle_turn_asks_the_database_few_questions(alice: User, exchange: str) -> None:
    at = settled(alice, exchange)
    with CaptureQueriesContext(database) as asked:
        turn(at)
    writes = [one["sql"] for one in asked if one["sql"].startswith(("UPDATE", "INSERT", "DELETE"))]
    assert len(asked) <= MOST_STATEMENTS, [one["sql"][:120] for one in asked]
    assert len(writes) <= MOST_WRITES, writes


@pytest.mark.parametrize("exchange", every())
def test_after_an_idle_turn_there_is_nothing_to_tell(alice: User, exchange: str) -> None:
    at = settled(alice, exchange)
    before = Proof.objects.order_by("-end")[0].end
    turn(at)
    last = BalanceSnapshot.objects.order_by("-last_seen")[0].last_seen
    assert before < Proof.objects.order_by("-end")[0].end == last
    assert proofs.update(at.connection, now=at.at.clock.now()).written == 0
    at.assert_rebuilds()


def test_a_row_dated_ahead_is_added_up_when_its_time_comes(alice: User) -> None:
    at = desk(alice, "btse", world={"empty": True})
    at.at.world.btse.add("Deposit", "BTC", "1", id="one")
    turn(at)
    turn(at)
    tail = Proof.objects.filter(asset="BTC").order_by("-end")[0]
    at.connection.transactions.update(occurred_at=tail.end + timedelta(seconds=60))
    at.connection.transactions.get().postings.update(occurred_at=tail.end + timedelta(seconds=60))
    turn(at)
    assert "unexplained" in at.verdicts()["BTC"]


def test_an_idle_turn_stops_before_the_next_call_when_it_was_paused(alice: User) -> None:
    at = settled(alice, ExchangeName.BTSE)
    calls = len(at.at.app.log)
    at.during_request(2, lambda: type(at.connection).objects.update(state=State.PAUSED))
    turn(at)
    assert Run.objects.order_by("-pk")[0].state == RunState.INTERRUPTED
    assert len(at.at.app.log) <= calls + 3


def test_what_an_idle_turn_read_is_written_down_at_its_end(alice: User) -> None:
    at = settled(alice, ExchangeName.TETHER)
    before = dict(Coverage.objects.values_list("stream", "complete_at"))
    turn(at)
    after = dict(Coverage.objects.values_list("stream", "complete_at"))
    assert [stream for stream in before if after[stream] == before[stream]] in ([], ["reference"])
    told = StreamRun.objects.filter(run=Run.objects.order_by("-pk")[0])
    assert {one.state for one in told} == {RunState.OK} and sum(one.new for one in told) == 0


def test_a_long_walk_tells_its_figures_ever_more_seldom(alice: User) -> None:
    at = desk(alice, "btse", world={"live": False}, pace=5)
    told: list[int] = []
    for number in range(1, 12):
        with at.client() as client:
            tasks.bring_up_to_date(
                at.connection.pk, trigger=Trigger.COMMAND, clock=at.at.clock, client=client, seconds=0.3
            )
        told += [number] if at.fresh().figures_since is None else []
    assert Run.objects.order_by("-pk")[0].state == RunState.PARTIAL
    assert told == [1, 2, 4, 8]
