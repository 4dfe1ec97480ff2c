"""What every connector must do, tried on all of them through the sandbox."""

from __future__ import annotations

import pytest

from exchanges.catalog import EXCHANGES
from exchanges.errors import ExchangeError, KeyRejected
from exchanges.sandbox.faults import Fault
from tests.exchanges.shelf import Killed
from tests.exchanges.stands import KINDS, Stand, every, stand


@pytest.fixture(params=every())
def name(request: pytest.FixtureRequest) -> str:
    """Of the exchange."""
    found: str = request.param
    return found


@pytest.fixture
def at(name: str) -> Stand:
    """A stand with half a year of history."""
    return stand(name)


class TestContract:
    """Three readings of three documents, one behaviour."""

    def test_a_full_read_equals_the_truth(self, at: Stand) -> None:
        shelf = at.shelf()
        shelf.sync(at.connector())
        at.assert_equal(shelf)
        at.assert_only_read()

    def test_a_second_read_changes_nothing_and_asks_little(self, at: Stand) -> None:
        shelf = at.shelf()
        first = shelf.sync(at.connector())
        rows = dict(shelf.raws)
        second = shelf.sync(at.connector())
        assert shelf.raws == rows
        assert second <= first
        at.assert_equal(shelf)

    def test_an_incremental_read_follows_the_account(self, at: Stand) -> None:
        shelf = at.shelf()
        shelf.sync(at.connector())
        for hours in (1, 30, 200):
            at.clock.advance(hours * 3600)
            at.kind.grow(at.world) if hours == 30 else None
            shelf.sync(at.connector())
            at.assert_equal(shelf)

    def test_a_full_walk_later_finds_the_same(self, at: Stand) -> None:
        shelf = at.shelf()
        shelf.sync(at.connector())
        shelf.sync(at.connector(), full=True)
        at.assert_equal(shelf)

    def test_a_read_that_is_killed_at_any_page_goes_on_and_is_whole(self, name: str) -> None:
        small = {"years": 0.1}
        pages = (shelf := (probe := stand(name, world=small)).shelf()).sync(probe.connector())
        assert shelf.pages == pages
        for dies in sorted({1, 2, 3, pages // 3, pages // 2, pages - 1} - {0}):
            at = stand(name, world=small)
            shelf = at.shelf()
            with pytest.raises(Killed):
                shelf.sync(at.connector(), die_after=dies)
            at.clock.advance(3600)
            shelf.sync(at.connector())
            at.assert_equal(shelf)

    def test_a_read_that_is_killed_again_and_again_comes_to_an_end(self, name: str) -> None:
        at = stand(name, world={"years": 0.04})
        shelf = at.shelf()
        for _ in range(400):
            try:
                shelf.sync(at.connector(), die_after=9)
            except Killed:
                at.clock.advance(60)
            else:
                break
        shelf.sync(at.connector())
        at.assert_equal(shelf)

    @pytest.mark.parametrize("wrong", ["key", "secret"])
    def test_a_wrong_key_is_rejected(self, at: Stand, wrong: str) -> None:
        connector = at.connector(**{wrong: "wrong"})
        for ask in (connector.check, lambda: list(connector.balances(at.shelf().progress("balances")))):
            with pytest.raises(KeyRejected):
                ask()

    def test_a_right_key_is_accepted(self, at: Stand) -> None:
        report = at.connector().check()
        assert report.evidence
        at.assert_only_read()

    @pytest.mark.parametrize(
        "fault",
        [
            Fault.RATE_LIMITED,
            Fault.RATE_LIMITED_SECONDS,
            Fault.RATE_LIMITED_EPOCH,
            Fault.SERVER_ERROR,
            Fault.MAINTENANCE,
            Fault.RESET_BEFORE,
            Fault.RESET_AFTER,
            Fault.HTML,
            Fault.CUT_BODY,
        ],
    )
    def test_a_passing_fault_is_survived(self, at: Stand, fault: Fault) -> None:
        shelf = at.shelf()
        at.faults.plan(fault, times=2)
        at.faults.plan(fault, times=2, match=at.kind.list_path)
        shelf.sync(at.connector())
        at.assert_equal(shelf)

    @pytest.mark.parametrize("fault", [Fault.DUPLICATE_ROWS, Fault.REORDERED_ROWS])
    def test_lists_that_repeat_or_mix_their_rows_are_read_the_same(self, at: Stand, fault: Fault) -> None:
        shelf = at.shelf()
        at.faults.plan(fault, times=1000, match=at.kind.list_path)
        shelf.sync(at.connector())
        at.assert_equal(shelf)

    @pytest.mark.parametrize(
        "fault",
        [Fault.REDIRECT, Fault.NAN, Fault.DUPLICATE_KEYS, Fault.GZIP_BOMB, Fault.HUGE_BODY, Fault.DRIP],
    )
    def test_a_hostile_answer_keeps_what_was_stored_and_the_next_read_is_whole(
        self, at: Stand, fault: Fault
    ) -> None:
        shelf = at.shelf()
        at.faults.plan(fault, times=3, match=at.kind.list_path)
        with pytest.raises(ExchangeError):
            shelf.sync(at.connector())
        at.faults.off()
        shelf.sync(at.connector())
        at.assert_equal(shelf)

    def test_a_server_with_only_the_documented_endpoints_is_enough(self, name: str) -> None:
        at = stand(name, documented_only=True)
        shelf = at.shelf()
        shelf.sync(at.connector())
        assert shelf.held == at.totals()
        assert shelf.ids() <= at.ids()
        at.connector().check()

    def test_nonces_rise_also_over_faults(self, at: Stand) -> None:
        at.faults.plan(Fault.RESET_AFTER, times=2)
        at.shelf().sync(at.connector())
        drawn = [int(call.nonce) for call in at.app.log if call.nonce]
        assert drawn == sorted(set(drawn))


def test_every_exchange_of_the_catalog_has_a_stand() -> None:
    assert set(KINDS) == set(EXCHANGES)
