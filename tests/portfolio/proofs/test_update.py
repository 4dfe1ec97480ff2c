"""Proofs follow the ledger: what holds, what does not, and what is read again for it."""

from __future__ import annotations

from datetime import date

import pytest

from accounts.models import User
from portfolio import proofs
from portfolio.models import Coverage, Posting, Proof, Transaction, Verdict
from tests.exchanges.stands import every
from tests.portfolio.desks import Desk, desk

pytestmark = pytest.mark.django_db


def grown(alice: User, exchange: str = "btse") -> Desk:
    """A connection that was read and proved a few times while its account lived on."""
    at = desk(alice, exchange)
    for _ in range(4):
        at.sync()
        at.tell()
        at.later(900)
    return at


@pytest.mark.parametrize("exchange", ["btse", "tether"])
def test_a_full_ledger_proves_every_balance(alice: User, exchange: str) -> None:
    at = grown(alice, exchange)

    assert {verdict for found in at.verdicts().values() for verdict in found} == {Verdict.PROVED}


def test_tokens_net_offers_no_ledger_of_deposits_and_that_is_no_error(alice: User) -> None:
    at = grown(alice, "tokens_net")

    found = {verdict for verdicts in at.verdicts().values() for verdict in verdicts}
    assert Verdict.NO_LEDGER in found
    assert not found & {Verdict.UNEXPLAINED, Verdict.INCOMPLETE}


@pytest.mark.parametrize("exchange", every())
def test_opening_and_postings_and_residual_make_the_closing(alice: User, exchange: str) -> None:
    grown(alice, exchange)

    assert Proof.objects.exists()
    for row in Proof.objects.all():
        assert row.opening + row.postings + row.residual == row.closing


@pytest.mark.parametrize("exchange", every())
def test_proofs_told_in_pieces_are_those_told_from_the_beginning(alice: User, exchange: str) -> None:
    at = grown(alice, exchange)
    before = list(Proof.objects.order_by("asset", "end").values_list("asset", "end", "residual", "verdict"))

    proofs.update(at.connection, now=at.at.clock.now())

    after = list(Proof.objects.order_by("asset", "end").values_list("asset", "end", "residual", "verdict"))
    assert after == before


def test_an_idle_update_writes_only_how_far_the_last_interval_reaches(alice: User) -> None:
    at = desk(alice, "btse", world={"live": False})
    at.sync()
    at.tell()
    before = Proof.objects.count()
    at.later(900)
    at.sync()
    at.tell()
    at.later(900)
    at.sync()
    at.tell()

    assets = Proof.objects.values("asset").distinct().count()
    assert Proof.objects.count() == before + assets


def test_a_late_row_fails_the_proof_is_walked_for_and_the_proof_holds_again(alice: User) -> None:
    at = grown(alice)
    at.late_row()
    at.sync()
    at.tell()
    assert Verdict.UNEXPLAINED in at.verdicts()["USDT"]
    assert at.fresh().next_sync_at <= at.at.clock.now()

    at.later(30)
    at.sync()
    at.tell()
    assert (at.fresh().full_walk_at or at.ahead(1)) <= at.at.clock.now()
    at.later(30)
    at.sync()
    at.tell()

    at.assert_true()
    assert Transaction.objects.filter(external_id="77").exists()
    # The row is dated before the first look, which did not show it: that the exchange itself was late stays visible.
    assert (at.fresh().full_walk_at or at.ahead(0)) > at.ahead(86400)


def test_a_row_that_vanished_is_unexplained_with_the_exact_residual(alice: User) -> None:
    at = grown(alice, "tether")
    lost = Posting.objects.counted().filter(asset="USDT").order_by("occurred_at").first()
    assert lost is not None
    lost.delete()

    proofs.update(at.connection, now=at.at.clock.now())

    failing = Proof.objects.get(verdict=Verdict.UNEXPLAINED)
    assert (failing.asset, failing.residual, failing.start) == ("USDT", lost.amount, None)


def test_a_failing_proof_remembers_since_when(alice: User) -> None:
    at = grown(alice, "tether")
    Posting.objects.counted().filter(asset="USDT").order_by("occurred_at")[:1].get().delete()
    proofs.update(at.connection, now=at.at.clock.now())
    first = Proof.objects.get(verdict=Verdict.UNEXPLAINED).failing_since
    at.later(60)

    proofs.update(at.connection, now=at.at.clock.now())

    assert Proof.objects.get(verdict=Verdict.UNEXPLAINED).failing_since == first


def test_a_difference_from_before_the_list_begins_is_an_opening_balance_and_says_so(alice: User) -> None:
    at = grown(alice, "btse")
    Posting.objects.counted().filter(asset="USDT").order_by("occurred_at")[:1].get().delete()

    proofs.update(at.connection, now=at.at.clock.now())

    first = Proof.objects.get(asset="USDT", start=None)
    assert (first.verdict, first.note.split(":")[0]) == (Verdict.INCOMPLETE, "Opening balance")
    assert proofs.alarm(at.connection, at.ahead(1)) is proofs.Alarm.WALK_AGAIN


def test_a_walk_that_goes_on_over_turns_is_not_asked_for_again(alice: User) -> None:
    at = grown(alice, "btse")
    Posting.objects.counted().filter(asset="USDT").order_by("occurred_at")[:1].get().delete()
    proofs.update(at.connection, now=at.at.clock.now())

    at.connection.full_walk_at = at.ahead(0.5)

    assert proofs.alarm(at.connection, at.ahead(1)) is proofs.Alarm.NONE


def test_a_stream_that_was_not_read_leaves_a_residual_incomplete(alice: User) -> None:
    at = grown(alice)
    Coverage.objects.filter(stream="trades").update(complete_at=None, spans=[])
    Posting.objects.filter(transaction__stream="trades").delete()

    proofs.update(at.connection, now=at.at.clock.now())

    assert Verdict.INCOMPLETE in at.verdicts()["BTC"]
    assert Verdict.UNEXPLAINED not in at.verdicts()["BTC"]


def test_a_hole_that_was_read_is_judged_again_though_nothing_newer_changed(alice: User) -> None:
    at = grown(alice)
    stream = Coverage.objects.get(stream="trades")
    read_at = stream.complete_at
    Coverage.objects.update(complete_at=None, spans=[])
    proofs.update(at.connection, now=at.at.clock.now())
    assert {Verdict.INCOMPLETE} == at.verdicts()["BTC"]
    Coverage.objects.update(complete_at=read_at)

    proofs.update(at.connection, since=date(2030, 1, 1), now=at.at.clock.now())

    assert {Verdict.PROVED} == at.verdicts()["BTC"]


def test_an_account_that_is_empty_now_is_proved_to_be(alice: User) -> None:
    at = desk(alice, "btse", world={"empty": True})
    at.at.world.btse.add("Deposit", "BTC", "1", at=at.ahead(-7200))
    at.at.world.btse.add("Withdraw", "BTC", "1", at=at.ahead(-3600))
    at.sync()
    at.tell()

    assert at.verdicts() == {"BTC": {Verdict.PROVED}}
