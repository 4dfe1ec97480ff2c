"""Whatever the seed lets go wrong, the store ends up saying what the exchange says; and bugs do not go unseen."""

from __future__ import annotations

import pytest
from django.db import IntegrityError

from tests.simulation.bugs import BUGS, planted
from tests.simulation.oracles import Violation
from tests.simulation.run import simulate

pytestmark = pytest.mark.django_db(transaction=True)

IN_THE_SUITE = 12
"""`make simulate` runs thousands; a seed costs about half a second of a core."""
FAILED_ONCE = (27, 86, 94)
"""Seeds that found a bug in the product, kept for ever: docs/simulation.md tells which."""
CAUGHT_AT: dict[str, int] = {}
"""A seed for some planted bugs that catches them; `make simulate-bugs` tries all bugs."""
WITHIN = 500


@pytest.mark.parametrize("seed", [*range(IN_THE_SUITE), *(one for one in FAILED_ONCE if one >= IN_THE_SUITE)])
def test_the_stored_ledger_becomes_the_exchanges(seed: int) -> None:
    assert simulate(seed).calls


def test_a_seed_tells_the_same_story_twice() -> None:
    assert simulate(4).trace == simulate(4).trace


@pytest.mark.parametrize("bug", CAUGHT_AT)
def test_a_planted_bug_is_caught(bug: str) -> None:
    with planted(bug), pytest.raises((Violation, IntegrityError)):
        simulate(CAUGHT_AT[bug])


@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS)
def test_every_planted_bug_is_caught(bug: str) -> None:
    assert any(_catches(bug, seed) for seed in range(WITHIN))


def _catches(bug: str, seed: int) -> bool:
    try:
        with planted(bug):
            simulate(seed)
    except (Violation, IntegrityError):
        return True
    return False
