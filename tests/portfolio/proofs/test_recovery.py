"""A row appears late, older than anything that is read again: the proof fails, says where, finds it, and holds again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import User
from exchanges.catalog import ExchangeName
from portfolio import proofs
from portfolio.models import Proof, Run, Verdict
from portfolio.proofs import Reason
from tests.conftest import make_connection
from tests.portfolio.desks import Desk, desk
from tests.portfolio.factory import make_transaction

pytestmark = pytest.mark.django_db
DAY = 86_400.0


def with_a_late_row(alice: User) -> Desk:
    """An account whose balance has just grown by 12.5 USDT, by a deposit that is listed only three weeks later."""
    at = desk(alice, ExchangeName.BTSE, world={"live": False})
    at.sync()
    at.tell()
    at.later(DAY)
    now = at.at.clock.now().replace(microsecond=0)
    at.at.world.btse.add("Deposit", "USDT", "12.5", id="late-1", at=now, visible=now + timedelta(days=20))
    at.later(3600)
    at.sync()
    at.tell()
    return at


def failing(at: Desk) -> Proof:
    """The interval that does not add up."""
    return Proof.objects.of(at.connection).get(verdict=Verdict.UNEXPLAINED)


def test_the_proof_fails_in_the_interval_of_the_row_and_nowhere_else(alice: User) -> None:
    proof = failing(with_a_late_row(alice))

    assert (proof.asset, str(proof.residual)) == ("USDT", "12.5")
    assert proof.start is not None
    assert Proof.objects.exclude(pk=proof.pk).filter(verdict=Verdict.UNEXPLAINED).count() == 0


def test_the_run_says_that_it_broke_and_the_lists_are_read_again(alice: User) -> None:
    at = with_a_late_row(alice)
    run = Run.objects.of(at.connection).latest("pk")

    assert "The proof of USDT failed" in run.story[0]
    assert at.fresh().next_sync_at <= at.at.clock.now()


def test_the_full_walk_finds_the_row_and_its_run_tells_so(alice: User) -> None:
    at = with_a_late_row(alice)
    broken = failing(at)
    at.later(21 * DAY)
    at.sync()
    at.tell()

    healed = Proof.objects.get(pk=broken.pk)
    story = " ".join(Run.objects.of(at.connection).latest("pk").story)
    assert healed.verdict == Verdict.PROVED
    assert "1 row was found that had not been there before: deposit of 12.5 USDT" in story
    assert "The proof of USDT holds again" in story
    at.assert_true()


def test_an_own_transfer_is_a_lead(alice: User) -> None:
    at = with_a_late_row(alice)
    proof = failing(at)
    other = make_connection(alice, ExchangeName.TETHER, label="Treasury")
    make_transaction(other, ("USDT", "-12.5"), kind="withdrawal", occurred_at=proof.end - timedelta(hours=2))

    reasons = {lead.reason for lead in proofs.leads(proof)}

    assert Reason.TRANSFER in reasons
