"""What an exchange refuses is not asked for again: a key without rights until the user acts, a key told to wait until then."""

from __future__ import annotations

from datetime import datetime

import pytest

from accounts.keys import store_key
from accounts.models import Connection, State, User
from exchanges.catalog import ExchangeName
from exchanges.errors import RateLimited
from exchanges.sandbox.faults import Fault
from portfolio import sync
from portfolio.models import RunState, Trigger
from portfolio.sync import schedule
from portfolio.sync.keypace import KeyPace, seat
from tests.conftest import make_connection
from tests.exchanges.clocks import START, VirtualClock
from tests.exchanges.stands import KEY, SECRET, every
from tests.portfolio.desks import Desk, desk

pytestmark = pytest.mark.django_db
WAIT = 300


def forbidden(user: User, exchange: str) -> Desk:
    """A connection that was read, and whose key has lost its rights since: every call is a 403."""
    switches = {"missing_right": 403} if exchange == "btse" else {}
    at = desk(user, exchange, world={"live": False}, **switches)
    assert at.sync().state is RunState.OK
    at.at.app.admit(KEY, SECRET, rights=())
    at.later(3600)
    return at


@pytest.mark.parametrize("exchange", every())
def test_a_key_without_rights_needs_attention_and_stops_the_turn(alice: User, exchange: str) -> None:
    at = forbidden(alice, exchange)
    calls, held = len(at.at.app.log), at.held()

    assert at.sync(Trigger.SCHEDULE).state is RunState.FAILED

    fresh = at.fresh()
    assert (fresh.state, fresh.reason_code) == (State.NEEDS_ATTENTION, "missing_right")
    assert "rights" in fresh.advice
    with_key = [asked.status for asked in at.at.app.log[calls:] if asked.key]
    assert with_key == [403] * (2 if exchange == "tokens_net" else 1)  # there the first path may be unknown
    assert at.held() == held


@pytest.mark.parametrize("exchange", every())
def test_a_key_without_rights_is_not_called_with_by_schedule(alice: User, exchange: str) -> None:
    at = forbidden(alice, exchange)
    at.sync(Trigger.SCHEDULE)
    calls = len(at.at.app.log)

    for days in (1, 10, 100):
        at.later(days * 86_400)
        assert schedule.claim_due(at.at.clock.now()) == []
        assert sync.run(at.connection.pk, trigger=Trigger.SCHEDULE, clock=at.at.clock) is None

    assert len(at.at.app.log) == calls


def test_a_key_that_got_its_rights_back_is_read_again_when_its_user_asks(alice: User) -> None:
    at = forbidden(alice, "tether")
    at.sync(Trigger.SCHEDULE)
    at.at.app.admit(KEY, SECRET)
    at.later(60)

    assert at.sync(Trigger.USER).state is RunState.OK

    assert at.fresh().state == State.ACTIVE
    at.assert_true()


def told_to_wait(user: User) -> tuple[Desk, datetime]:
    """A connection whose exchange has just asked for a pause; until when."""
    at = desk(user, "tether")
    at.at.faults.retry_after = WAIT
    at.at.faults.plan(Fault.RATE_LIMITED_SECONDS, times=50)
    at.sync()
    until = at.fresh().quiet_until
    assert until is not None and (until - at.at.clock.now()).total_seconds() > WAIT - 1
    return at, until


def same_key(user: User) -> Connection:
    """Another user's connection with the same key, due now."""
    row = make_connection(user, ExchangeName.TETHER, next_sync_at=START)
    store_key(row, KEY, SECRET)
    return row


def another_process(at: Desk) -> VirtualClock:
    """The clock of a process that began on its own: the same time of day, its own ticks."""
    return VirtualClock(at.at.clock.now())


@pytest.mark.parametrize("trigger", [Trigger.SCHEDULE, Trigger.USER, Trigger.COMMAND])
def test_after_a_429_no_other_process_calls_with_the_key(alice: User, trigger: Trigger) -> None:
    at, until = told_to_wait(alice)
    calls = len(at.at.app.log)

    assert sync.run(at.connection.pk, trigger=trigger, clock=another_process(at)) is None

    assert at.fresh().next_sync_at == until
    assert len(at.at.app.log) == calls


def test_after_a_429_no_other_connection_calls_with_the_key(alice: User, bob: User) -> None:
    twin = same_key(bob)
    at, until = told_to_wait(alice)
    calls = len(at.at.app.log)

    assert sync.run(twin.pk, trigger=Trigger.SCHEDULE, clock=another_process(at)) is None
    with pytest.raises(RateLimited) as refused, seat(Connection.objects.get(pk=twin.pk), another_process(at)):
        pass

    twin.refresh_from_db()
    assert twin.next_sync_at == until
    assert refused.value.retry_after == pytest.approx(WAIT, abs=2)
    assert len(at.at.app.log) == calls


def test_a_pace_begun_elsewhere_waits_for_the_rest_of_the_pause(alice: User) -> None:
    at, until = told_to_wait(alice)
    elsewhere = another_process(at)
    elsewhere.advance(100)

    pace = KeyPace(at.fresh(), [at.fresh().paced], elsewhere)
    waited = pace.wait()

    assert elsewhere.now() >= until
    assert waited == pytest.approx((until - at.at.clock.now()).total_seconds() - 100)


def test_the_key_is_called_with_again_when_the_pause_is_over(alice: User) -> None:
    at, until = told_to_wait(alice)
    at.at.faults.off()
    at.later((until - at.at.clock.now()).total_seconds())

    assert schedule.claim_due(at.at.clock.now()) == [at.connection.pk]
    assert at.sync(Trigger.SCHEDULE).state is RunState.OK
