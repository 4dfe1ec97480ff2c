"""A turn brings the store to what the exchange says, whatever happens on the way."""

from __future__ import annotations

import socket
from datetime import timedelta

import httpx2
import pytest

from accounts.keys import store_key
from accounts.models import Connection, State, User
from exchanges.sandbox.faults import Fault
from portfolio import sync
from portfolio.models import Coverage, Quarantine, Raw, Run, RunState, StreamRun, Transaction, Trigger
from portfolio.sync.notes import Notes
from tests.exchanges.stands import SECRET, every
from tests.portfolio.desks import Crash, Desk, desk

pytestmark = pytest.mark.django_db
EXCHANGES = every()


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_first_sync_stores_the_whole_truth(alice: User, exchange: str) -> None:
    at = desk(alice, exchange)

    done = at.sync()

    assert done.state is RunState.OK, done
    at.assert_true()


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_syncing_twice_changes_nothing(alice: User, exchange: str) -> None:
    at = desk(alice, exchange, world={"live": False})
    at.sync()
    before = at.picture()

    again = at.sync()

    assert sum(stream.new + stream.changed for stream in again.streams) == 0
    assert again.touched_since is None
    assert at.picture() == before


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_what_happens_later_is_found(alice: User, exchange: str) -> None:
    at = desk(alice, exchange)
    at.sync()
    for _ in range(6):
        at.later(1800)
        at.sync()

    at.assert_true()


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_stored_and_quarantined_rows_are_all_that_were_sent(alice: User, exchange: str) -> None:
    at = desk(alice, exchange, world={"live": False})
    at.sync()

    for stream in StreamRun.objects.filter(run__connection=at.connection):
        assert stream.sent >= stream.new + stream.changed + stream.quarantined


def test_a_pending_row_becomes_completed(alice: User) -> None:
    at = desk(alice, "btse", world={"empty": True})
    now = at.at.clock.now()
    at.at.world.btse.add("Deposit", "BTC", "1", id="slow", settles=at.ahead(3600))
    at.sync()
    assert Transaction.objects.get(external_id="slow").status == "pending"
    assert at.held() == {}

    at.later(4000)
    at.sync()

    row = Transaction.objects.get(external_id="slow")
    assert (row.status, row.occurred_at, Raw.objects.filter(source_id=row.raw.source_id).count()) == (
        "completed",
        now,
        2,
    )
    at.assert_true()


def test_a_stale_answer_does_not_undo_what_was_final(alice: User) -> None:
    at = desk(alice, "btse", world={"empty": True})
    at.at.world.btse.add("Deposit", "BTC", "1", id="slow", settles=at.ahead(600))
    at.sync()
    at.later(700)
    at.sync()

    at.at.faults.stale = timedelta(seconds=300)
    at.at.faults.plan(Fault.STALE, times=20)
    at.sync()

    assert Transaction.objects.get(external_id="slow").status == "completed"


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_run_killed_at_any_request_is_continued_by_the_next(alice: User, exchange: str) -> None:
    at = desk(alice, exchange, world={"years": 0.2, "live": False})
    for call in range(1, 400):
        if at.sync_killed_at_request(call):
            break
        at.later(60)

    at.assert_true()
    at.assert_rebuilds()


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_kill_between_rows_and_cursor_leaves_neither(
    alice: User, exchange: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = desk(alice, exchange, world={"years": 0.2, "live": False})
    left, honest = [0], Notes.write

    def dying(self: Notes) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Crash
        honest(self)

    monkeypatch.setattr(Notes, "write", dying)
    for write in range(1, 100):
        left[0] = write
        if at.sync_until_crash():
            break
        at.later(60)

    assert write > 2
    assert left[0] > 0
    at.assert_true()
    at.assert_rebuilds()


def test_two_workers_never_hold_one_connection(alice: User) -> None:
    at = desk(alice, "tether")
    assert at.connection.take_lease("another", at.at.clock.now())

    with at.client() as client:
        assert sync.run(at.connection.pk, trigger=Trigger.USER, clock=at.at.clock, client=client) is None

    assert at.at.app.log == []


def test_a_dead_workers_lease_expires_and_its_run_is_closed(alice: User) -> None:
    at = desk(alice, "tether")
    at.connection.take_lease("dead", at.at.clock.now())
    dead = Run.objects.create(connection=at.connection, worker="dead")
    at.later(46)

    at.sync()

    assert Run.objects.get(pk=dead.pk).state == RunState.INTERRUPTED
    at.assert_true()


def test_a_rejected_key_needs_attention_and_is_not_tried_again(alice: User) -> None:
    at = desk(alice, "btse")
    store_key(at.connection, "wrong", SECRET)

    done = at.sync()

    fresh = at.fresh()
    assert (done.state, fresh.state, fresh.reason_code) == (
        RunState.FAILED,
        State.NEEDS_ATTENTION,
        "key_rejected",
    )
    assert fresh.advice
    calls = len(at.at.app.log)
    assert sync.run(at.connection.pk, trigger=Trigger.SCHEDULE, clock=at.at.clock) is None
    assert len(at.at.app.log) == calls


def test_a_secret_that_does_not_open_stops_its_own_connection_before_any_call(alice: User) -> None:
    at = desk(alice, "btse")
    Connection.objects.filter(pk=at.connection.pk).update(sealed_secret="v1.unknown.token")

    at.sync()

    assert (at.fresh().state, at.fresh().reason_code, at.at.app.log) == (State.NEEDS_ATTENTION, "seal", [])


def test_a_missing_endpoint_is_remembered_and_asked_again_by_a_full_walk(alice: User) -> None:
    at = desk(alice, "tether", documented_only=True)
    assert at.sync().state is RunState.OK
    assert Coverage.objects.get(stream="exchange_orders").not_offered
    at.later(60)
    asked = at.paths("exchange_orders")

    at.sync()
    assert at.paths("exchange_orders") == asked

    at.later(60)
    at.sync(full=True)
    assert at.paths("exchange_orders") > asked


def test_an_unreadable_row_is_quarantined_and_its_page_kept(alice: User) -> None:
    at = desk(alice, "tether", world={"empty": True})
    for number in range(3):
        at.at.world.tether.add("receive", "USDT", f"5.{number}25", id=str(100 + number))
    at.spoil('"amount":"5.125"', '"amount":"5_125"')

    done = at.sync()

    assert sum(stream.quarantined for stream in done.streams) >= 1
    assert Quarantine.objects.get().reason
    assert Transaction.objects.count() == 2


def test_a_row_that_can_be_read_later_leaves_quarantine(alice: User) -> None:
    at = desk(alice, "tether", world={"empty": True})
    at.at.world.tether.add("receive", "USDT", "5.25", id="100")
    at.spoil('"amount":"5.25"', '"amount":"5_25"')
    at.sync()
    assert Quarantine.objects.count() == 1
    at.later(60)
    at.wire.spoilt.clear()

    at.sync(full=True)

    assert Quarantine.objects.count() == 0
    at.assert_true()


def test_one_failing_stream_does_not_stop_the_others(alice: User) -> None:
    at = desk(alice, "btse")
    at.at.faults.plan(Fault.HTML, times=50, match="wallet_history")

    done = at.sync()

    states = {stream.stream: stream.state for stream in done.streams}
    assert done.state is RunState.PARTIAL
    assert states["wallet_history"] is RunState.FAILED
    assert states["balances"] is RunState.OK
    assert "trades" in states


def test_an_exchange_that_asks_for_a_pause_gets_it(alice: User) -> None:
    at = desk(alice, "tether")
    at.at.faults.retry_after = 300
    at.at.faults.plan(Fault.RATE_LIMITED_SECONDS, times=50)

    done = at.sync()

    fresh = at.fresh()
    assert done.state is RunState.FAILED
    assert fresh.state == State.ACTIVE
    assert (fresh.next_sync_at - at.at.clock.now()).total_seconds() >= 299


def test_failures_back_off(alice: User) -> None:
    at = desk(alice, "tether")
    at.at.faults.plan(Fault.SERVER_ERROR, match="transactions", times=1000)
    pauses = []
    for _ in range(4):
        at.sync()
        pauses.append((at.fresh().next_sync_at - at.at.clock.now()).total_seconds())

    assert pauses[-1] > 2 * pauses[0]
    assert at.fresh().failures == 4


def test_a_long_walk_is_cut_into_turns_that_come_to_the_same_end(alice: User) -> None:
    at = desk(alice, "btse", world={"live": False}, pace=5)
    turns = [at.sync(seconds=3)]
    while turns[-1].state is RunState.PARTIAL and len(turns) < 50:
        assert at.fresh().next_sync_at <= at.at.clock.now()
        turns.append(at.sync(seconds=3))

    assert len(turns) > 2
    at.assert_true()


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_late_row_is_found_by_the_full_walk(alice: User, exchange: str) -> None:
    at = desk(alice, exchange, page_size=10) if exchange == "tokens_net" else desk(alice, exchange)
    at.sync()
    late = at.late_row()
    at.later(900)
    at.sync()
    assert not Transaction.objects.filter(external_id=late).exists()

    at.later(8 * 86400)
    done = at.sync()

    assert done.state is RunState.OK
    assert Transaction.objects.filter(external_id=late).exists()
    at.assert_true()


def test_a_paused_connection_stops_at_the_next_page(alice: User) -> None:
    at = desk(alice, "btse")
    at.during_request(3, lambda: Connection.objects.update(state=State.PAUSED))

    done = at.sync()

    assert done.state is RunState.INTERRUPTED
    assert at.fresh().state == State.PAUSED
    assert len(at.at.app.log) <= 4


def test_a_deleted_connection_is_not_asked_for_again(alice: User) -> None:
    at = desk(alice, "btse")
    at.during_request(3, lambda: Connection.objects.all().delete())

    done = at.sync()

    assert done.state is RunState.INTERRUPTED
    assert len(at.at.app.log) <= 4


def test_a_key_replaced_meanwhile_is_not_blamed_for_the_old_one(alice: User) -> None:
    at = desk(alice, "btse")

    def replace() -> None:
        at.at.app.revoke("key-of-a-test")
        store_key(Connection.objects.get(), "another", "secret")

    at.during_request(3, replace)

    at.sync()

    assert at.fresh().state == State.ACTIVE


def test_nonces_rise_over_runs_and_kills(alice: User) -> None:
    at = desk(alice, "tokens_net", world={"years": 0.2})
    for call in (2, 3, 5, 8):
        at.sync_killed_at_request(call)
        at.later(50)
    at.sync()

    drawn = [int(asked.nonce) for asked in at.at.app.log if asked.nonce]
    assert drawn == sorted(set(drawn))


def test_history_of_a_removed_connection_may_stay_or_go(alice: User) -> None:
    at: Desk = desk(alice, "tether")
    at.sync()
    at.tell()

    sync.remove(at.connection, keep_history=True)
    assert (at.fresh().has_key, Transaction.objects.exists()) == (False, True)

    sync.remove(at.connection, keep_history=False)
    assert not Connection.objects.exists()
    assert not Raw.objects.exists()


def test_an_exchange_that_seemed_closed_is_asked_again_the_same_day(alice: User) -> None:
    at = desk(alice, "tokens_net")
    at.wire.hooks = dict.fromkeys(range(1, 4), unknown_host)
    assert at.sync().state is RunState.FAILED
    closed = at.fresh()
    assert (closed.state, closed.next_sync_at - at.at.clock.now() < timedelta(hours=8)) == (
        State.CLOSED,
        True,
    )
    at.later(8 * 3600)

    assert sync.schedule.claim_due(at.at.clock.now()) == [closed.pk]
    at.sync(trigger=Trigger.SCHEDULE)

    assert at.fresh().state == State.ACTIVE


def unknown_host() -> None:
    raise httpx2.ConnectError("no such host") from socket.gaierror()
