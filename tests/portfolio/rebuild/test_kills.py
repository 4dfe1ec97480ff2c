"""A rebuild that is killed while it swaps leaves all as it was; one that is not leaves all as derived."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection as database
from django.db import connections

from portfolio.models import Correction, CorrectionKind, DailyHolding, Posting, Proof, Transaction
from portfolio.rebuild import rebuild
from tests.conftest import make_user
from tests.portfolio.desks import Desk, desk

pytestmark = pytest.mark.django_db(transaction=True)


def damaged() -> Desk:
    """An account in whose store something of every kind is wrong."""
    at = desk(make_user("alice"), "tether", world={"empty": True})
    at.at.world.tether.add("receive", "USDT", "20.5", id="1", at=at.ahead(-3 * 86_400))
    at.at.world.tether.add("receive", "USDT", "2", id="2", at=at.ahead(-2 * 86_400))
    at.sync()
    at.later(1)
    at.tell()
    row = Transaction.objects.get(external_id="1")
    Correction.objects.create(user=at.connection.user, kind=CorrectionKind.COST, transaction=row, amount="9")
    Transaction.objects.filter(external_id="2").delete()
    Posting.objects.update(amount="5")
    Proof.objects.all().delete()
    DailyHolding.objects.update(quantity="1")
    return at


def stored() -> list[Any]:
    """What stands of all that."""
    models: list[Any] = [Transaction, Posting, Proof, DailyHolding, Correction]
    return [list(model.objects.order_by("pk").values()) for model in models]


def swap_killed_at(at: Desk, number: int) -> bool:
    """Rebuild in a process that kills itself before its `number`th statement of the swap; whether it came to its end."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        with database.execute_wrapper(Killer(number)):
            rebuild(at.connection, write=True, tell=lambda _: None, clock=at.at.clock)
        os._exit(0)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    at.later(60)
    return ended == 0


class Killer:
    """Counts what is written to tables that stand, once the lease was shown within the transaction."""

    def __init__(self, left: int) -> None:
        self.left = left

    def __call__(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if database.in_atomic_block and '"."portfolio_' in sql.split(" SELECT ")[0]:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return execute(sql, *rest)


def test_a_kill_at_any_statement_of_the_swap_leaves_what_stood() -> None:
    at = damaged()
    before = stored()
    number = 1
    while not swap_killed_at(at, number):
        assert stored() == before
        number += 2

    assert number > 10
    assert stored() != before
    at.assert_rebuilds()
