"""What is due is claimed once, in fair order, and the work of the dead is taken up again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import Connection, State, User
from exchanges.catalog import ExchangeName
from exchanges.sandbox.faults import Fault
from portfolio import tasks
from portfolio.models import Run, RunState, Trigger
from portfolio.sync import schedule
from tests.conftest import make_connection
from tests.portfolio.desks import desk

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 8, 13, 12, tzinfo=UTC)


def waiting(user: User, label: str, since: float = 60, **fields: object) -> Connection:
    """A connection with a key that has been due for some seconds."""
    at = NOW - timedelta(seconds=since)
    fields = {"label": label, "next_sync_at": at, "sealed_secret": "x"} | fields
    return make_connection(user, ExchangeName.BTSE, **fields)


def test_the_longest_waiting_comes_first(alice: User, bob: User) -> None:
    short, long = waiting(alice, "short", 10), waiting(bob, "long", 500)

    assert schedule.claim_due(NOW) == [long.pk, short.pk]


def test_a_second_dispatcher_finds_nothing_left(alice: User) -> None:
    waiting(alice, "one")

    assert len(schedule.claim_due(NOW)) == 1
    assert schedule.claim_due(NOW) == []


def test_a_lost_message_is_sent_again(alice: User) -> None:
    one = waiting(alice, "one")
    schedule.claim_due(NOW)

    assert schedule.claim_due(NOW + schedule.CLAIM) == [one.pk]


@pytest.mark.parametrize("state", [State.PAUSED, State.NEEDS_ATTENTION])
def test_what_is_stopped_is_not_due(alice: User, state: State) -> None:
    waiting(alice, "one", state=state)

    assert schedule.claim_due(NOW) == []


def test_a_connection_without_a_key_is_not_due(alice: User) -> None:
    waiting(alice, "one", sealed_secret="")

    assert schedule.claim_due(NOW) == []


def test_a_living_workers_connection_is_left_alone(alice: User) -> None:
    assert waiting(alice, "one").take_lease("worker", NOW)

    assert schedule.claim_due(NOW) == []


def test_a_dead_workers_connection_is_due_at_once_and_its_run_closed(alice: User) -> None:
    one = waiting(alice, "one", since=-900)
    one.take_lease("dead", NOW - timedelta(seconds=60))
    dead = Run.objects.create(connection=one, worker="dead", heartbeat_at=NOW - timedelta(seconds=60))

    assert schedule.claim_due(NOW) == [one.pk]
    assert Run.objects.get(pk=dead.pk).state == RunState.INTERRUPTED


def test_a_message_that_comes_twice_finds_the_work_done(alice: User) -> None:
    at = desk(alice, "tether")
    at.sync(Trigger.SCHEDULE)

    with at.client() as client:
        again = tasks.bring_up_to_date(
            at.connection.pk, trigger=Trigger.SCHEDULE, clock=at.at.clock, client=client
        )

    assert again is None
    assert Run.objects.count() == 1


def test_a_message_that_comes_twice_does_not_shorten_the_wait_that_the_exchange_asked_for(
    alice: User,
) -> None:
    at = desk(alice, "tether")
    at.at.faults.plan(Fault.RATE_LIMITED_SECONDS, times=50)
    schedule.claim_due(at.at.clock.now())
    at.sync(Trigger.SCHEDULE)
    connection, now = at.fresh(), at.at.clock.now()

    assert now < connection.next_sync_at < now + schedule.CLAIM
    assert not schedule.is_wanted(connection, Trigger.SCHEDULE, now)
    assert schedule.is_wanted(connection, Trigger.SCHEDULE, connection.next_sync_at)


def test_a_double_click_starts_one_sync(alice: User) -> None:
    at = desk(alice, "tether")
    at.sync(Trigger.USER)

    with at.client() as client:
        again = tasks.bring_up_to_date(
            at.connection.pk, trigger=Trigger.USER, clock=at.at.clock, client=client
        )

    assert again is None


def test_figures_are_told_again_after_a_kill_before_they_were(alice: User) -> None:
    at = desk(alice, "tether", world={"live": False})
    at.sync()
    assert at.fresh().figures_since is not None

    at.later(900)
    at.sync()
    at.tell()

    assert at.fresh().figures_since is None
    assert at.verdicts()["USDT"] == {"proved"}


@pytest.mark.parametrize(("failures", "waits"), [(0, False), (1, True)])
def test_a_failed_proof_does_not_shorten_the_wait_after_a_failure(
    alice: User, failures: int, waits: bool
) -> None:
    one = waiting(alice, "one", since=-900, failures=failures)

    schedule.look_again(one, NOW, full=True)

    one.refresh_from_db()
    assert (one.full_walk_at, one.next_sync_at > NOW) == (NOW, waits)
