"""For pages that ask who you are once more."""

from __future__ import annotations

import pytest
from allauth.account.internal.flows import reauthentication


@pytest.fixture
def proved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody has proved lately who they are."""
    monkeypatch.setattr(reauthentication, "is_reauthentication_required", lambda request, *, app: False)
