"""A sync brings the store to what the exchange says, whatever happens on the way."""

from __future__ import annotations

import pytest

from accounts.models import User
from portfolio.models import RunState
from tests.exchanges.stands import every
from tests.portfolio.desks import desk

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("exchange", every())
def test_first_sync_stores_the_whole_truth(alice: User, exchange: str) -> None:
    at = desk(alice, exchange)

    done = at.sync()

    assert done.state is RunState.OK, done
    at.assert_true()
