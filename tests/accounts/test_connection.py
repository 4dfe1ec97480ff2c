"""Nonces rise for ever, leases have one holder, and the database keeps the rules of a connection."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.models import LEASE, Connection, State, User
from tests.conftest import make_connection, make_user

THREADS, DRAWS = 4, 12


@pytest.mark.django_db(transaction=True)
def test_nonces_drawn_by_many_workers_are_all_different_and_rise_for_each() -> None:
    mine = make_connection(make_user("alice"))

    def draw(_: int) -> list[int]:
        drawn = [mine.draw_nonce(0) for _ in range(DRAWS)]
        connection.close()
        return drawn

    with ThreadPoolExecutor(THREADS) as pool:
        drawn = list(pool.map(draw, range(THREADS)))
    everything = [nonce for each in drawn for nonce in each]
    assert sorted(everything) == list(range(1, THREADS * DRAWS + 1))
    assert all(each == sorted(each) for each in drawn)


class Nonces(TestCase):
    """Whatever the clock does, a nonce is above all before it."""

    @settings(max_examples=30, deadline=None)
    @given(st.lists(st.integers(0, 2**62), min_size=1, max_size=8))
    def test_a_nonce_is_above_the_last_and_not_below_the_clock(self, floors: list[int]) -> None:
        mine = make_connection(make_user("alice"))
        drawn = [mine.draw_nonce(floor) for floor in floors]
        assert all(later > sooner for sooner, later in pairwise(drawn))
        assert all(nonce >= floor for nonce, floor in zip(drawn, floors, strict=True))
        assert Connection.objects.get(pk=mine.pk).nonce == drawn[-1]


def test_a_lease_has_one_holder_until_it_runs_out(alice: User) -> None:
    mine, now = make_connection(alice), timezone.now()
    assert mine.take_lease("one", now)
    assert not mine.take_lease("two", now + LEASE - timedelta(seconds=1))
    assert mine.keep_lease("one", now + LEASE - timedelta(seconds=1))
    assert not mine.take_lease("two", now + LEASE)
    mine.refresh_from_db()
    assert mine.take_lease("two", now + 3 * LEASE)
    assert not mine.keep_lease("one", now + 3 * LEASE)


def test_only_the_holder_gives_a_lease_back(alice: User) -> None:
    mine, now = make_connection(alice), timezone.now()
    mine.take_lease("one", now)
    mine.release("two")
    assert not Connection.objects.free(now).exists()
    mine.release("one")
    assert Connection.objects.free(now).exists()


def test_due_are_active_free_ones_the_longest_waiting_first(alice: User) -> None:
    now = timezone.now()
    waits = {"late": 2, "later": 9, "future": -5}
    for label, minutes in waits.items():
        make_connection(alice, label=label, next_sync_at=now - timedelta(minutes=minutes))
    make_connection(alice, label="paused", state=State.PAUSED, next_sync_at=now - timedelta(minutes=30))
    held = make_connection(alice, label="held", next_sync_at=now - timedelta(minutes=30))
    held.take_lease("one", now)
    assert [each.label for each in Connection.objects.due(now)] == ["later", "late"]


BROKEN: list[tuple[str, dict[str, Any]]] = [
    ("connection_state_known", {"state": "lost"}),
    ("connection_nonce_not_negative", {"nonce": -1}),
    ("connection_has_label", {"label": ""}),
    ("connection_lease_whole", {"lease_owner": "one"}),
    ("connection_lease_whole", {"lease_until": timezone.now()}),
]


@pytest.mark.parametrize(("rule", "fields"), BROKEN)
def test_the_database_keeps_the_rules_of_a_connection(alice: User, rule: str, fields: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        make_connection(alice, **fields)


def test_a_label_is_used_once_by_each_user_whatever_its_case(alice: User, bob: User) -> None:
    make_connection(alice, label="Main")
    make_connection(bob, label="main")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_connection(alice, label="MAIN")


def test_an_e_mail_address_is_used_once_whatever_its_case(alice: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(email="ALICE@example.org")


def test_everybody_sees_only_their_own_connections(alice: User, bob: User) -> None:
    mine = make_connection(alice)
    make_connection(bob)
    assert list(Connection.objects.for_user(alice)) == [mine]
