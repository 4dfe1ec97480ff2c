"""The three sandbox exchanges on loopback, as commands reach them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from exchanges.sandbox.server import Serving, exchanges
from exchanges.sandbox.web import Exchange
from exchanges.sandbox.world import World


@pytest.fixture
def sandbox(settings: Any) -> Iterator[dict[str, Exchange]]:
    """Seed "commands", without limits of pace, with a short past."""
    world = World("commands", years=1, live=False)
    apps = exchanges(world, btse={"pace": None}, tether={"page_size": 500})
    with Serving(apps) as urls:
        settings.EXCHANGE_URLS = dict(urls)
        yield apps
