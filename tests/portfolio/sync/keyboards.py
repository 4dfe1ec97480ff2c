"""What a user types into a command."""

from __future__ import annotations

import io

import pytest


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """The text waits on standard input."""
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
