"""What every test may use: three users, connections, a closed network; examples that are the same each time."""

from __future__ import annotations

import gc
import ipaddress
import sys
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import WorkStealingScheduling

from accounts.models import Connection, State, User
from exchanges.catalog import ExchangeName

PASSWORD = "correct horse battery"

# Neither luck nor a busy computer decides whether the suite passes; `--hypothesis-profile=explore` tries new examples.
settings.register_profile(
    "suite", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


def _refuse_the_world(event: str, args: tuple[Any, ...]) -> None:
    if event != "socket.connect" or not isinstance(args[1], tuple):
        return
    host = str(args[1][0])
    if host != "localhost" and not ipaddress.ip_address(host.split("%")[0]).is_loopback:
        raise RuntimeError(f"A test tried to reach {host}.")


sys.addaudithook(_refuse_the_world)


# What is imported stays: looking through all of it again and again for garbage took a third of the collection.
gc.disable()


def pytest_collection_finish() -> None:
    """From now on garbage is what the tests make."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> WorkStealingScheduling | None:
    """No worker is idle while another has tests in store: the long ones stand close together."""
    return WorkStealingScheduling(config, log) if config.getvalue("dist") == "load" else None


def make_user(name: str, **fields: Any) -> User:
    """A user `name@example.org` with the common password."""
    return User.objects.create_user(f"{name}@example.org", PASSWORD, **fields)


def make_connection(user: User, exchange: ExchangeName = ExchangeName.BTSE, **fields: Any) -> Connection:
    """An active connection without a key."""
    fields = {"label": f"{user.email} {exchange}", "state": State.ACTIVE} | fields
    return Connection.objects.create(user=user, exchange=exchange, **fields)


@pytest.fixture
def alice(db: None) -> User:
    """The user whose pages are looked at."""
    return make_user("alice")


@pytest.fixture
def bob(db: None) -> User:
    """Another user with things of his own."""
    return make_user("bob")


@pytest.fixture
def charlie(db: None) -> User:
    """A stranger who owns nothing."""
    return make_user("charlie")


@pytest.fixture
def as_alice(alice: User) -> Client:
    """A browser in which Alice is logged in."""
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def as_charlie(charlie: User) -> Client:
    """A browser in which the stranger is logged in."""
    client = Client()
    client.force_login(charlie)
    return client
