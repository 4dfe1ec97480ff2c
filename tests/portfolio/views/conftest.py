"""For pages that ask who you are once more, and for sums that are done on two pages of one day."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine
from allauth.account.internal.flows import reauthentication
from django.utils import timezone


@pytest.fixture
def proved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody has proved lately who they are."""
    monkeypatch.setattr(reauthentication, "is_reauthentication_required", lambda request, *, app: False)


@pytest.fixture(autouse=True)
def freeze() -> Iterator[None]:
    """All pages of a test are made at noon: no day turns between two of them, nor in the hours around."""
    with time_machine.travel(timezone.now().replace(hour=12, minute=0), tick=False):
        yield
