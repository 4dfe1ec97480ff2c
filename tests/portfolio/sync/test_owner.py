"""A killed worker of this machine is noticed at once, one of another machine when its lease runs out."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.keys import store_key
from accounts.models import LEASE, User
from portfolio.sync import owner, schedule
from tests.conftest import make_connection


def killed() -> str:
    """A holder that is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    host, place, _, run = owner.new().rsplit(":", 3)
    return f"{host}:{place}:{process.pid}:{run}"


def elsewhere() -> str:
    """A holder of which this machine cannot know."""
    host, _, _, run = owner.new().rsplit(":", 3)
    return f"{host}:elsewhere:999999999:{run}"


def test_only_a_process_of_this_machine_that_ended_is_gone() -> None:
    found = [owner.is_gone(one) for one in (killed(), owner.new(), elsewhere(), "check:1234", "")]

    assert found == [True, False, False, False, False]


def test_names_fit_and_differ() -> None:
    names = {owner.new() for _ in range(20)}

    assert len(names) == 20
    assert max(map(len, names)) <= 64


@pytest.mark.parametrize("holder, wait", [(killed, 0), (elsewhere, LEASE.total_seconds() + 1)])
def test_what_a_dead_worker_held_is_claimed_again(alice: User, holder: object, wait: float) -> None:
    now = timezone.now()
    one = make_connection(alice, next_sync_at=now + timedelta(hours=1))
    store_key(one, "k", "s")
    assert callable(holder)
    one.take_lease(holder(), now)

    before = schedule.claim_due(now) if wait else []

    assert before == []
    assert schedule.claim_due(now + timedelta(seconds=wait)) == [one.pk]
