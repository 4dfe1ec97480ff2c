"""Proposals and decisions about own transfers, and that they are remembered."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from exchanges.catalog import ExchangeName
from exchanges.records import Kind
from portfolio.models import MatchState, Transaction, TransferMatch
from portfolio.transfers import Undecidable, confirm, forget, reject, suggest
from tests.conftest import make_connection
from tests.portfolio.rates_rows import NOW
from tests.portfolio.valuation_rows import make_entry

HOUR = timedelta(hours=1)


@pytest.fixture
def pair(alice: User) -> tuple[Transaction, Transaction]:
    """One sending and its arrival at another exchange."""
    here, there = make_connection(alice), make_connection(alice, ExchangeName.TETHER)
    sent = make_entry(here, Kind.WITHDRAWAL, NOW, "-1 BTC", "-0.001 BTC fee")
    return sent, make_entry(there, Kind.DEPOSIT, NOW + HOUR, "1 BTC")


def test_a_pair_is_proposed_once(alice: User, pair: Any) -> None:
    assert (suggest(alice, NOW), suggest(alice, NOW)) == (1, 0)
    match = TransferMatch.objects.get()
    assert (match.outgoing, match.incoming, match.state) == (*pair, MatchState.SUGGESTED)
    assert match.reasons and not match.decided_at


def test_a_rejected_pair_is_remembered_and_not_proposed_again(alice: User, pair: Any) -> None:
    suggest(alice, NOW)
    reject(TransferMatch.objects.get(), alice, NOW)
    assert suggest(alice, NOW) == 0
    assert TransferMatch.objects.get().state == MatchState.REJECTED


def test_a_confirmed_pair_keeps_who_decided_and_ends_rival_proposals(alice: User, pair: Any) -> None:
    make_entry(pair[0].connection, Kind.WITHDRAWAL, NOW - HOUR, "-1 BTC")
    assert suggest(alice, NOW) == 2
    confirm(TransferMatch.objects.get(outgoing=pair[0]), alice, NOW)
    match = TransferMatch.objects.get()
    assert (match.decided_by, match.decided_at, match.state) == (alice, NOW, MatchState.CONFIRMED)


def test_an_arrival_has_one_sender(alice: User, pair: Any) -> None:
    other = make_entry(pair[0].connection, Kind.WITHDRAWAL, NOW - HOUR, "-1 BTC")
    one = TransferMatch.objects.create(user=alice, outgoing=pair[0], incoming=pair[1], score=90)
    two = TransferMatch.objects.create(
        user=alice, outgoing=other, incoming=pair[1], score=80, state=MatchState.REJECTED
    )
    confirm(one, alice, NOW)
    with pytest.raises(Undecidable):
        confirm(two, alice, NOW)


def test_a_sending_may_be_confirmed_in_parts_but_the_store_refuses_two_whole_ones(
    alice: User, pair: Any
) -> None:
    part = make_entry(pair[1].connection, Kind.DEPOSIT, NOW + 2 * HOUR, "1 BTC")
    for arrival in (pair[1], part):
        match = TransferMatch.objects.create(user=alice, outgoing=pair[0], incoming=arrival, score=50)
        confirm(match, alice, NOW)
    assert TransferMatch.objects.confirmed().filter(is_split=True).count() == 2
    with pytest.raises(IntegrityError), transaction.atomic():
        TransferMatch.objects.update(is_split=False)


def test_nothing_arrives_before_it_was_sent(alice: User, pair: Any) -> None:
    early = make_entry(pair[1].connection, Kind.DEPOSIT, NOW - HOUR, "1 BTC")
    match = TransferMatch.objects.create(user=alice, outgoing=pair[0], incoming=early, score=90)
    with pytest.raises(Undecidable, match="before"):
        confirm(match, alice, NOW)


def test_a_common_hash_decides_by_itself_and_can_be_taken_back(alice: User, pair: Any) -> None:
    Transaction.objects.update(network_id="0xfeed")
    suggest(alice, NOW)
    match = TransferMatch.objects.confirmed().get()
    assert match.decided_by is None
    forget(match)
    assert TransferMatch.objects.suggested().count() == 1


def test_only_rows_near_the_new_ones_are_looked_at(alice: User, pair: Any) -> None:
    assert suggest(alice, NOW, since=NOW + timedelta(days=30)) == 0
    assert suggest(alice, NOW, since=NOW + timedelta(days=3)) == 1


def test_other_peoples_rows_are_never_matched_with_mine(alice: User, bob: User, pair: Any) -> None:
    make_entry(make_connection(bob), Kind.DEPOSIT, NOW + HOUR, "1 BTC")
    suggest(alice, NOW)
    suggest(bob, NOW)
    assert set(TransferMatch.objects.values_list("user", flat=True)) == {alice.pk}
