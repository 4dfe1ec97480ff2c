"""Adding, watching, pausing, replacing and removing connections in the browser, against the sandbox exchanges."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Connection, State, User
from exchanges.sandbox import keys
from exchanges.sandbox.server import Serving, exchanges
from exchanges.sandbox.world import World
from portfolio.models import Transaction
from tests.conftest import make_connection
from tests.portfolio.factory import make_run, make_snapshot, make_transaction

HTMX = {"HX-Request": "true"}
SEED = "pages"
KEY, SECRET = keys(SEED)["btse"]


@pytest.fixture
def sandbox(settings: Settings, proved: None) -> Iterator[None]:
    """The three exchanges on loopback, and a user who proved lately who they are."""
    with Serving(exchanges(World(SEED, empty=True, live=False)), port_base=0) as urls:
        settings.EXCHANGE_URLS = dict(urls)
        yield


def add(client: Client, **fields: str) -> tuple[int, str]:
    """Status and text of the answer to the form for BTSE."""
    given = {"label": "Main", "key": KEY, "secret": SECRET} | fields
    response = client.post("/connections/add/btse/", given)
    return response.status_code, response.content.decode()


def test_a_key_that_serves_is_stored_sealed_and_read_at_once(
    as_alice: Client, alice: User, sandbox: None
) -> None:
    status, _ = add(as_alice)

    made = Connection.objects.get(user=alice)
    assert status == 302
    assert made.state == State.ACTIVE
    assert made.next_sync_at <= timezone.now()
    assert SECRET not in str(Connection.objects.values().get())


def test_a_wrong_secret_is_one_sentence_and_nothing_is_stored(as_alice: Client, sandbox: None) -> None:
    status, text = add(as_alice, secret="a-wrong-secret")

    assert status == 200
    assert "does not accept this key" in text
    assert "a-wrong-secret" not in text and KEY not in text
    assert not Connection.objects.exists()


def test_a_label_is_used_once(as_alice: Client, alice: User, sandbox: None) -> None:
    make_connection(alice, label="main")

    status, text = add(as_alice, label="MAIN")

    assert status == 200
    assert "already" in text
    assert Connection.objects.count() == 1


def test_an_exchange_that_cannot_be_reached_is_one_sentence(
    as_alice: Client, settings: Settings, proved: None
) -> None:
    settings.EXCHANGE_URLS = {"btse": "http://127.0.0.1:9"}

    status, text = add(as_alice)

    assert status == 200
    assert "could not be reached" in text
    assert not Connection.objects.exists()


def test_the_guide_names_steps_and_rights(as_alice: Client, proved: None) -> None:
    text = as_alice.get("/connections/add/tether/").content.decode()

    assert "read_balances" in text and "Press “Create Key”" in text
    assert as_alice.get("/connections/add/mtgox/").status_code == 404


def test_a_key_is_replaced_and_the_history_stays(as_alice: Client, alice: User, sandbox: None) -> None:
    add(as_alice)
    connection = Connection.objects.get()
    make_transaction(connection)

    wrong = as_alice.post(f"/connections/{connection.public_id}/key/", {"key": KEY, "secret": "x"})
    right = as_alice.post(f"/connections/{connection.public_id}/key/", {"key": KEY, "secret": SECRET})

    assert (wrong.status_code, right.status_code) == (200, 302)
    assert Transaction.objects.count() == 1


def test_a_check_says_what_the_exchange_says(as_alice: Client, sandbox: None) -> None:
    add(as_alice)
    public_id = Connection.objects.get().public_id

    text = as_alice.post(f"/connections/{public_id}/check/", follow=True).content.decode()

    assert "The exchange accepts the key." in text


def test_pausing_and_resuming(as_alice: Client, sandbox: None) -> None:
    add(as_alice)
    connection = Connection.objects.get()

    as_alice.post(f"/connections/{connection.public_id}/pause/")
    paused = Connection.objects.get().state
    as_alice.post(f"/connections/{connection.public_id}/resume/")

    assert (paused, Connection.objects.get().state) == (State.PAUSED, State.ACTIVE)


def test_what_is_paused_is_not_synced_by_a_click(as_alice: Client, alice: User) -> None:
    later = timezone.now() + timedelta(days=1)
    connection = make_connection(alice, state=State.PAUSED, next_sync_at=later)

    as_alice.post(f"/connections/{connection.public_id}/sync/")

    assert Connection.objects.get().next_sync_at == later


def test_progress_tells_streams_pages_and_rows_and_is_asked_for_again(as_alice: Client, alice: User) -> None:
    connection = make_connection(alice, lease_owner="w", lease_until=timezone.now() + timedelta(minutes=1))
    make_run(connection, "wallet_history", state="running", finished_at=None)

    response = as_alice.get(f"/connections/{connection.public_id}/", headers=HTMX)
    text = response.content.decode()

    assert response.status_code == 200
    assert 'hx-trigger="every 2s"' in text
    assert all(part in text for part in ("Wallet history", ">3<", ">120<"))


def test_progress_is_no_longer_asked_for_when_the_sync_has_ended(as_alice: Client, alice: User) -> None:
    now = timezone.now()
    connection = make_connection(alice, synced_at=now, next_sync_at=now + timedelta(minutes=15))
    make_run(connection, "wallet_history")

    response = as_alice.get(f"/connections/{connection.public_id}/", headers=HTMX)

    assert response.status_code == 286
    assert b"hx-trigger" not in response.content


@pytest.mark.parametrize(("history", "left"), [("keep", 1), ("delete", 0)])
def test_removing_keeps_or_deletes_the_history_as_chosen(
    as_alice: Client, alice: User, sandbox: None, history: str, left: int
) -> None:
    add(as_alice)
    connection = Connection.objects.get()
    make_transaction(connection)
    make_snapshot(connection)

    as_alice.post(
        f"/connections/{connection.public_id}/remove/", {"history": history, "confirmation": "Main"}
    )

    assert Transaction.objects.count() == Connection.objects.count() == left
    assert not Connection.objects.exclude(sealed_secret="").exists()


def test_removing_wants_the_name(as_alice: Client, alice: User, proved: None) -> None:
    connection = make_connection(alice, label="Main")

    response = as_alice.post(
        f"/connections/{connection.public_id}/remove/", {"history": "delete", "confirmation": "main"}
    )

    assert response.status_code == 200
    assert Connection.objects.count() == 1


def test_the_overview_follows_a_first_sync_and_then_loads_itself_anew(as_alice: Client, alice: User) -> None:
    connection = make_connection(alice)
    headers = HTMX | {"HX-Target": "strip"}

    during = as_alice.get("/", headers=headers)
    Connection.objects.filter(pk=connection.pk).update(synced_at=timezone.now())
    after = as_alice.get("/", headers=headers)

    assert "HX-Refresh" not in during
    assert after["HX-Refresh"] == "true"
