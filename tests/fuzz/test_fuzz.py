"""Hostile answers in the suite: 2,000 of them, the same each time; `make fuzz` tries 100,000 for each exchange."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from exchanges.catalog import EXCHANGES, ExchangeName
from tests.fuzz import limits, oracles
from tests.fuzz.campaign import batch
from tests.fuzz.corpus import CORPUS
from tests.fuzz.examples import Example, Step, examples, honest, made
from tests.fuzz.limits import Cost, TooDear
from tests.fuzz.oracles import Violation
from tests.fuzz.stored import attempt_stored
from tests.fuzz.trial import attempt

EVEN = settings(
    max_examples=600, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)
FEW = settings(EVEN, max_examples=67)


@EVEN
@given(examples(ExchangeName.BTSE))
def test_any_answer_of_btse_is_stored_exactly_or_set_aside_or_refused(example: Example) -> None:
    attempt(example)


@EVEN
@given(examples(ExchangeName.TETHER))
def test_any_answer_of_tether_is_stored_exactly_or_set_aside_or_refused(example: Example) -> None:
    attempt(example)


@EVEN
@given(examples(ExchangeName.TOKENS_NET))
def test_any_answer_of_tokens_net_is_stored_exactly_or_set_aside_or_refused(example: Example) -> None:
    attempt(example)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", EXCHANGES)
def test_a_sync_of_any_answer_loses_no_row(name: ExchangeName) -> None:
    def sync(example: Example) -> None:
        attempt_stored(example)

    FEW(given(examples(name))(sync))()


@pytest.mark.parametrize(
    ("name", "endpoint"), [(name, one.name) for name in EXCHANGES for one in CORPUS[name]]
)
def test_every_documented_answer_is_asked_for_and_let_in(name: ExchangeName, endpoint: str) -> None:
    example = Example(name, endpoint, 0, (), deep=True)
    assert attempt(example).outcome.endswith("stored")
    assert made(example) == honest(example.target.answers[0])


def test_an_example_survives_being_printed() -> None:
    example = Example("btse", "wallet", 0, (Step("nest", 3, 7),), deep=False)
    assert Example.load(example.written()) == example
    assert made(example).plain.count(b"[") > 1000


def test_too_much_work_for_an_answer_is_noticed() -> None:
    with limits.measured() as cost:
        sum(range(3_000_000))
    with pytest.raises(TooDear, match="CPU"):
        limits.check(cost, cpu=0.001)


def test_too_much_memory_for_an_answer_is_noticed() -> None:
    with limits.measured() as cost:
        assert len(b"x" * (limits.MEMORY * 5 // 4))
    with pytest.raises(TooDear, match="MB"):
        limits.check(Cost(memory=cost.memory))


def test_a_row_that_is_neither_stored_nor_set_aside_is_noticed() -> None:
    history = next(one for one in CORPUS[ExchangeName.BTSE] if one.name == "history")
    with pytest.raises(Violation, match="lost"):
        oracles.nothing_lost(history, '{"data": [{"orderId": "1"}]}', [], frozenset())


def test_a_batch_counts_what_it_tried() -> None:
    tally = batch(ExchangeName.TETHER, 1, 30, 0)
    assert (tally.examples, sum(tally.outcomes.values()), tally.failures) == (30, 30, [])
