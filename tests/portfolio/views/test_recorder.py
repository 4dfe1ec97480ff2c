"""The flight recorder: what it shows, and what its buttons do and do not do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Connection, State, User
from exchanges.clock import SYSTEM_CLOCK
from exchanges.errors import Unreachable
from portfolio.models import Coverage, Quarantine, Run, RunState, Transaction
from portfolio.sync import hosts
from portfolio.views.span_bar import bar
from tests.conftest import make_connection
from tests.portfolio.desks import desk
from tests.portfolio.factory import make_run

MAY = datetime(2026, 5, 1, tzinfo=UTC)
DAY = timedelta(days=1)
pytestmark = pytest.mark.django_db


def covered(*days: tuple[int, int], **fields: object) -> Coverage:
    """A list of which these days of May have been read."""
    spans = [[(MAY + a * DAY).isoformat(), (MAY + b * DAY).isoformat()] for a, b in days]
    return Coverage(stream="wallet_history", spans=spans, **fields)


def test_a_hole_is_what_lies_between_two_stretches() -> None:
    told = bar(covered((0, 4), (6, 10)), MAY + 10 * DAY)

    assert told.holes == ((MAY + 4 * DAY, MAY + 6 * DAY),)
    assert told.is_open
    assert [block.is_hole for block in told.blocks] == [False, False, True, True]


def test_a_list_read_to_its_end_has_no_hole_before_that() -> None:
    told = bar(covered((0, 4), (6, 10), complete_at=MAY + 8 * DAY), MAY + 10 * DAY)

    assert told.holes == ()
    assert not told.is_open
    assert told.blocks[0].width == 1000


@pytest.mark.parametrize("days", [[(0, 400)], [(0, 1), (2, 3), (4, 5)], [(300, 301)], []])
def test_a_bar_never_leaves_its_frame(days: list[tuple[int, int]]) -> None:
    told = bar(covered(*days), MAY + 100 * DAY, first=MAY)

    assert all(0 <= block.x <= 1000 and 0 < block.width <= 1000 for block in told.blocks)


def post(client: Client, name: str, connection: Connection, **data: str) -> str:
    """Press a button; the page that follows."""
    return client.post(reverse(name, args=[connection.public_id]), data, follow=True).content.decode()


def test_reading_one_list_again_walks_that_list_and_no_other(as_alice: Client, alice: User) -> None:
    at = desk(alice, "btse", world={"live": False})
    at.sync()
    at.later(60)
    Connection.objects.update(full_walk_at=at.ahead(9 * 86_400))
    post(as_alice, "connection_walk", at.connection, stream="wallet_history")
    Coverage.objects.filter(stream="wallet_history").update(again_at=at.at.clock.now())
    at.later(60)
    at.sync()

    after = dict(Coverage.objects.values_list("stream", "full_began_at"))
    assert after["wallet_history"] is not None
    assert after["trades"] is None


def test_reading_everything_again_is_due_at_once(as_alice: Client, alice: User) -> None:
    connection = make_connection(alice, next_sync_at=timezone.now() + DAY)

    text = post(as_alice, "connection_walk", connection)

    connection.refresh_from_db()
    assert connection.full_walk_at is not None
    assert connection.next_sync_at <= timezone.now()
    assert "All lists of this connection are read again" in text


@pytest.mark.parametrize("stream", ["nothing", "balances", "\0", "x" * 999])
def test_a_list_that_there_is_not_is_not_asked_for(as_alice: Client, alice: User, stream: str) -> None:
    connection = make_connection(alice)
    Coverage.objects.create(connection=connection, stream="balances")

    assert "has no such list" in post(as_alice, "connection_walk", connection, stream=stream)
    assert not Coverage.objects.filter(again_at__isnull=False).exists()


def test_a_stale_lease_is_released_and_its_run_closed(as_alice: Client, alice: User) -> None:
    past = timezone.now() - timedelta(minutes=5)
    connection = make_connection(alice, lease_owner="dead:1", lease_until=past)
    make_run(connection, state=RunState.RUNNING, finished_at=None, heartbeat_at=past)

    text = post(as_alice, "connection_release", connection)

    connection.refresh_from_db()
    assert connection.lease_owner == ""
    assert Run.objects.get().state == RunState.INTERRUPTED
    assert "Released" in text


def test_a_living_worker_is_not_robbed_of_its_lease(as_alice: Client, alice: User) -> None:
    connection = make_connection(alice)
    connection.take_lease("alive:1", timezone.now())

    text = post(as_alice, "connection_release", connection)

    connection.refresh_from_db()
    assert connection.lease_owner == "alive:1"
    assert "Nothing was released" in text


def quarantined(connection: Connection, **fields: str) -> Quarantine:
    """A row of the wallet's history that was refused once, though it can be read."""
    body = (
        '{"username": "a", "orderId": "991", "wallet": "SPOT@", "currency": "USDT", "type": "Deposit", "amount": "5", '
        '"fees": "0", "description": "", "timestamp": 1777636800000, "status": "COMPLETED"}'
    )
    given = {"stream": "wallet_history", "source_id": "991", "digest": "9" * 64, "body": body} | fields
    return Quarantine.objects.create(connection=connection, reason="not readable then", **given)


def again(client: Client, row: Quarantine) -> str:
    """Press the button of a record."""
    return client.post(reverse("quarantine_again", args=[row.pk]), follow=True).content.decode()


def test_a_record_that_can_be_read_now_leaves_quarantine_for_the_ledger(
    as_alice: Client, alice: User
) -> None:
    row = quarantined(make_connection(alice))

    text = again(as_alice, row)

    assert "can be read now" in text
    assert not Quarantine.objects.exists()
    assert Transaction.objects.get().external_id == "991"
    assert Run.objects.get().state == RunState.OK


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"body": "{}"}, "still cannot be read"),
        ({"source_id": ""}, "has no id"),
        ({"stream": "balances"}, "read anew with every sync"),
    ],
)
def test_a_record_that_cannot_be_read_stays_and_says_why(
    as_alice: Client, alice: User, fields: dict[str, str], words: str
) -> None:
    row = quarantined(make_connection(alice), **fields)

    assert words in again(as_alice, row)
    assert Quarantine.objects.filter(pk=row.pk).exists()
    assert not Transaction.objects.exists()


def test_a_record_is_not_read_beside_a_running_sync_or_while_paused(as_alice: Client, alice: User) -> None:
    connection = make_connection(alice)
    row = quarantined(connection)
    connection.take_lease("alive:1", timezone.now())
    assert "being read just now" in again(as_alice, row)
    connection.release("alive:1")
    connection.set_state(State.PAUSED)

    assert "is paused" in again(as_alice, row)
    assert Quarantine.objects.filter(pk=row.pk).exists()


def test_the_last_request_and_answer_are_told_without_what_they_held(as_alice: Client, alice: User) -> None:
    at = desk(alice, "tether", world={"live": False})
    at.sync()

    address = reverse("connection_recorder", args=[at.connection.public_id])
    told, text = as_alice.get(address, {"format": "json"}).json(), as_alice.get(address).content.decode()

    calls = told["runs"][0]["calls"]
    assert calls["paths"]["/api/v1/balances.json"] == {"ok": 1}
    assert "GET /api/v1/" in text
    assert "a list of" in str(calls["last"])
    assert not {"key", "query", "headers", "body"} & calls["last"][0].keys()


def test_a_host_that_does_not_answer_is_told_of(as_alice: Client, alice: User) -> None:
    connection = make_connection(alice, synced_at=timezone.now())
    one = hosts.breaker("btse", SYSTEM_CLOCK)
    for _ in range(4):
        one.failed(Unreachable())

    for page in ("connections", "connection", "connection_recorder"):
        args = [] if page == "connections" else [connection.public_id]
        assert "BTSE does not answer; next try at" in as_alice.get(reverse(page, args=args)).content.decode()
    told = as_alice.get(
        reverse("connection_recorder", args=[connection.public_id]), {"format": "json"}
    ).json()
    assert told["host"]["error"]


def test_a_pause_that_the_exchange_asked_for_is_told_of(as_alice: Client, alice: User) -> None:
    until = timezone.now() + timedelta(minutes=5)
    connection = make_connection(alice, synced_at=timezone.now(), quiet_until=until)

    page = as_alice.get(reverse("connection", args=[connection.public_id])).content.decode()

    assert f"BTSE asked for a pause until {until:%Y-%m-%d %H:%M:%S} UTC." in page


def test_a_hole_is_asked_for_by_its_button(as_alice: Client, alice: User) -> None:
    connection = make_connection(alice, next_sync_at=timezone.now() + DAY)
    row = covered((0, 4), (6, 10))
    row.connection = connection
    row.save()
    page = as_alice.get(reverse("connection_recorder", args=[connection.public_id])).content.decode()
    start, end = (MAY + 4 * DAY), (MAY + 6 * DAY)
    assert f'name="since" value="{start.isoformat()}"' in page

    stretch = {"since": start.isoformat(), "until": end.isoformat()}
    said = post(as_alice, "connection_walk", connection, stream="wallet_history", **stretch)

    row.refresh_from_db()
    assert "2026-05-05 00:00 to 2026-05-07 00:00 UTC is read again" in said
    assert (row.hole_from, row.hole_until, row.again_at) == (start, end, None)
