"""A host that does not answer is left alone by everybody for a growing while, then tried by one call."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import Connection, State, User
from exchanges.circuit import LONGEST_REST
from exchanges.clock import Clock
from exchanges.errors import ExchangeFault, KeyRejected, Resting, Unreachable
from exchanges.sandbox.faults import Fault
from portfolio import sync
from portfolio.models import Host, Run, Trigger
from portfolio.sync import hosts, schedule
from portfolio.sync.hosts import Breaker
from tests.exchanges.clocks import VirtualClock
from tests.portfolio.desks import Desk, desk

pytestmark = pytest.mark.django_db
URL = "https://api.btse.com"


def broken(clock: Clock) -> Host:
    """The host after so many time-outs that it is left alone."""
    one = Breaker(URL, clock)
    for _ in range(4):
        one.admit()
        one.failed(Unreachable())
    return Host.objects.get()


def passes(clock: Clock) -> bool:
    """Whether another process may call now."""
    try:
        Breaker(URL, clock).admit()
    except Resting:
        return False
    return True


def after_rest(clock: VirtualClock, host: Host) -> None:
    assert host.rest_until is not None
    clock.advance((host.rest_until - clock.now()).total_seconds() + 1)


def dead(alice: User, exchange: str = "tether") -> Desk:
    """A connection whose exchange has stopped to answer, as its first turn found out."""
    at = desk(alice, exchange, world={"live": False})
    at.at.faults.plan(Fault.RESET_BEFORE, times=10_000)
    at.sync(Trigger.SCHEDULE)
    return at


def test_silence_again_and_again_opens_it_for_every_process() -> None:
    clock = VirtualClock()
    broken(clock)

    assert not passes(clock)


def test_one_call_tries_after_the_rest_and_success_closes_it() -> None:
    clock = VirtualClock()
    after_rest(clock, broken(clock))
    one = Breaker(URL, clock)
    one.admit()
    assert not passes(clock)

    one.answered()

    assert passes(clock)
    assert not Host.objects.unwell().exists()


def test_rests_grow_and_are_capped() -> None:
    clock = VirtualClock()
    host, rests = broken(clock), []
    for _ in range(9):
        after_rest(clock, host)
        one = Breaker(URL, clock)
        one.admit()
        one.failed(Unreachable())
        host = Host.objects.get()
        assert host.rest_until is not None
        rests.append((host.rest_until - clock.now()).total_seconds())

    assert rests[2] > 2 * rests[0]
    assert 0.7 * LONGEST_REST < rests[-1] < 1.3 * LONGEST_REST


def test_whoever_is_killed_while_he_tries_it_leaves_nothing_stuck() -> None:
    clock = VirtualClock()
    after_rest(clock, broken(clock))
    Breaker(URL, clock).admit()

    clock.advance(61)

    assert passes(clock)


def test_a_clock_set_back_does_not_shut_a_host_for_ever() -> None:
    clock = VirtualClock()
    broken(clock)

    assert passes(VirtualClock(clock.now() - timedelta(days=2)))


def test_an_answer_in_between_starts_the_count_anew() -> None:
    clock = VirtualClock()
    one = Breaker(URL, clock)
    for _ in range(6):
        for error in (ExchangeFault(), ExchangeFault(), Unreachable()):
            one.admit()
            one.failed(error)
        one.admit()
        one.answered()

    assert passes(clock)


def test_refused_keys_and_pauses_say_nothing_against_the_host(alice: User) -> None:
    at = desk(alice, "tether")
    at.at.faults.plan(Fault.RATE_LIMITED, times=50)
    for _ in range(5):
        at.sync()
    at.at.app.revoke("key-of-a-test")
    at.at.faults.off()
    at.sync()

    assert not Host.objects.unwell().exists()
    assert at.fresh().reason_code == KeyRejected.code


def test_a_turn_at_a_dead_host_costs_few_calls_and_is_not_held_against_the_connection(alice: User) -> None:
    at = dead(alice)

    fresh = at.fresh()
    assert (fresh.state, fresh.failures, fresh.reason_code) == (State.ACTIVE, 0, Resting.code)
    assert 20 < (fresh.next_sync_at - at.at.clock.now()).total_seconds() < 40
    assert Run.objects.get().requests == 4


def test_no_turn_is_handed_out_while_it_rests_and_few_after_it(alice: User) -> None:
    at = dead(alice)
    Connection.objects.update(next_sync_at=at.at.clock.now())
    assert schedule.claim_due(at.at.clock.now()) == []
    for number in range(5):
        Connection.objects.create(
            user=alice,
            exchange="tether",
            label=str(number),
            sealed_secret="x",
            next_sync_at=at.at.clock.now(),
            state=State.ACTIVE,
        )

    after_rest(at.at.clock, Host.objects.get())

    assert len(schedule.claim_due(at.at.clock.now())) == schedule.FEW


def test_a_message_that_was_sent_before_finds_the_host_resting(alice: User) -> None:
    at = dead(alice)
    at.later(5)

    with at.client() as client:
        again = sync.run(at.connection.pk, trigger=Trigger.USER, clock=at.at.clock, client=client)

    assert again is None
    assert Run.objects.count() == 1
    assert at.fresh().next_sync_at == Host.objects.get().rest_until


def test_all_is_well_again_after_one_answer(alice: User) -> None:
    at = dead(alice)
    at.at.faults.off()
    after_rest(at.at.clock, Host.objects.get())

    at.sync(Trigger.SCHEDULE)

    assert hosts.troubles(at.at.clock.now()) == {}
    at.assert_true()


def test_a_host_without_a_name_is_an_exchange_that_closed_even_where_nobody_asks(alice: User) -> None:
    at = desk(alice, "tokens_net")
    clock = at.at.clock
    one = hosts.breaker("tokens_net", clock)
    for _ in range(4):
        gone = Unreachable()
        gone.unresolved = True
        one.admit()
        one.failed(gone)

    at.sync()

    assert (at.fresh().state, at.wire.count) == (State.CLOSED, 0)
