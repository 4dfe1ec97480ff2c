"""Several workers at once: one connection is read by one of them, and no nonce is drawn twice."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from accounts.models import User
from portfolio import sync
from portfolio.models import Run, Trigger
from portfolio.sync import schedule
from tests.portfolio.desks import desk

pytestmark = pytest.mark.django_db(transaction=True)
CROWD = 6


def at_once(step: Callable[[], object]) -> list[object]:
    """What each of several threads got, all starting together."""
    gate = Barrier(CROWD)

    def one() -> object:
        try:
            gate.wait(120)
            return step()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(CROWD) as pool:
        return [future.result() for future in [pool.submit(one) for _ in range(CROWD)]]


def test_one_of_many_workers_reads_a_connection(alice: User) -> None:
    at = desk(alice, "tether", world={"years": 0.1, "live": False})

    def read() -> object:
        with at.client() as client:
            return sync.run(at.connection.pk, trigger=Trigger.SCHEDULE, clock=at.at.clock, client=client)

    done = at_once(read)

    assert sum(one is not None for one in done) == 1
    assert Run.objects.count() == 1
    at.assert_true()


def test_one_of_many_dispatchers_claims_a_connection(alice: User) -> None:
    at = desk(alice, "tether")

    claimed = at_once(lambda: schedule.claim_due(at.at.clock.now()))

    assert sorted(map(str, claimed)) == sorted(["[]"] * (CROWD - 1) + [f"[{at.connection.pk}]"])


def test_no_two_workers_draw_one_nonce(alice: User) -> None:
    at = desk(alice, "btse")

    drawn = at_once(lambda: [at.connection.draw_nonce(1) for _ in range(10)])

    flat = [nonce for some in drawn for nonce in some]  # type: ignore[attr-defined]
    assert len(set(flat)) == len(flat) == 10 * CROWD
