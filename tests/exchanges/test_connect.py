"""The door: which exchanges there are, and what is refused before anything is asked."""

from __future__ import annotations

import pytest

from exchanges.catalog import EXCHANGES
from exchanges.clock import SYSTEM_CLOCK
from exchanges.connect import connect, normaliser, public
from exchanges.errors import Refused

FAKE = "nothing-real"


def nonce(floor: int) -> int:
    """Good enough for what is never asked."""
    return floor


@pytest.mark.parametrize("name", sorted(EXCHANGES))
def test_every_exchange_of_the_catalog_can_be_connected(name: str) -> None:
    url = EXCHANGES[name].default_url  # type: ignore[index]
    connector = connect(name, base_url=url, key=FAKE, secret=FAKE, nonce=nonce)
    assert connector.streams
    assert connector.skew() is None
    assert hasattr(public(name, base_url=url), "quotes")
    assert callable(normaliser(name))


def test_an_unknown_exchange_is_answered_with_the_known_ones() -> None:
    with pytest.raises(KeyError, match="btse, tether, tokens_net"):
        connect("bitfoo", base_url="https://x.test", key=FAKE, secret=FAKE, nonce=nonce)


@pytest.mark.parametrize("name", sorted(EXCHANGES))
def test_an_address_that_may_not_be_asked_is_refused_at_once(name: str) -> None:
    with pytest.raises(Refused):
        connect(name, base_url="http://example.org", key=FAKE, secret=FAKE, nonce=nonce)


def test_a_connector_shows_neither_key_nor_secret() -> None:
    shown = connect("btse", base_url="https://x.test", key="k-canary", secret="s-canary", nonce=nonce)
    assert "canary" not in repr(shown) + repr(vars(shown))


def test_the_real_clock_runs() -> None:
    before = SYSTEM_CLOCK.monotonic()
    SYSTEM_CLOCK.sleep(0.001)
    assert SYSTEM_CLOCK.monotonic() > before
    assert SYSTEM_CLOCK.now().tzinfo is not None
