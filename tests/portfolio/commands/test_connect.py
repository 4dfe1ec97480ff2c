"""`manage.py connect` and `sync`: what they print, and how each wrong input ends in one sentence."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Connection, State, User
from exchanges.sandbox.keys import keys
from exchanges.sandbox.tether import Tether
from exchanges.sandbox.web import Exchange
from tests.portfolio.sync.keyboards import typed

pytestmark = pytest.mark.django_db
KEYS = keys("commands")


def connect(
    monkeypatch: pytest.MonkeyPatch, exchange: str = "tether", text: str | None = None, **options: object
) -> str:
    """The command with a key on standard input; what it printed."""
    key, secret = KEYS.get(exchange, ("k", "s"))
    typed(monkeypatch, json.dumps({"key": key, "secret": secret}) if text is None else text)
    out = io.StringIO()
    given = {"user": "alice@example.org", "exchange": exchange, "label": "mine"} | options
    call_command("connect", stdout=out, **given)
    return out.getvalue()


def refused(monkeypatch: pytest.MonkeyPatch, **options: object) -> str:
    """The sentence with which the command failed; nothing was stored."""
    before = Connection.objects.count()
    with pytest.raises(CommandError) as failed:
        connect(monkeypatch, **options)  # type: ignore[arg-type]
    assert failed.value.returncode == 1
    assert Connection.objects.count() == before
    return str(failed.value)


@pytest.mark.parametrize("exchange", sorted(KEYS))
def test_connect_checks_the_key_stores_it_sealed_and_prints_the_id(
    alice: User, sandbox: dict[str, Exchange], monkeypatch: pytest.MonkeyPatch, exchange: str
) -> None:
    printed = connect(monkeypatch, exchange)

    made = Connection.objects.get()
    assert printed == f"{made.pk}\n"
    assert (made.user, made.state, made.fingerprint) == (alice, State.ACTIVE, KEYS[exchange][0][-4:])
    assert KEYS[exchange][1] not in json.dumps(list(Connection.objects.values()), default=str)


def test_without_check_nothing_is_asked(
    alice: User, sandbox: dict[str, Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch, no_check=True)

    assert Connection.objects.get().state == State.CHECKING
    assert sandbox["tether"].log == []


def test_a_wrong_key(alice: User, sandbox: dict[str, Exchange], monkeypatch: pytest.MonkeyPatch) -> None:
    text = json.dumps({"key": "wrong", "secret": KEYS["tether"][1]})

    assert "does not accept this key" in refused(monkeypatch, text=text)


def test_a_wrong_secret(alice: User, sandbox: dict[str, Exchange], monkeypatch: pytest.MonkeyPatch) -> None:
    text = json.dumps({"key": KEYS["btse"][0], "secret": "wrong"})

    assert "does not accept this key" in refused(monkeypatch, exchange="btse", text=text)


def test_a_missing_right(alice: User, sandbox: dict[str, Exchange], monkeypatch: pytest.MonkeyPatch) -> None:
    tether = sandbox["tether"]
    assert isinstance(tether, Tether)
    tether.admit("half", "secret", rights=("read_balances",))

    said = refused(monkeypatch, text=json.dumps({"key": "half", "secret": "secret"}))
    assert "read_transactions" in said


def test_an_unknown_exchange(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Known: btse, tether, tokens_net" in refused(monkeypatch, exchange="mtgox")


def test_an_unreachable_host(alice: User, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.EXCHANGE_URLS = {**settings.EXCHANGE_URLS, "tether": "http://127.0.0.1:9"}

    assert "could not be reached" in refused(monkeypatch)


def test_an_unknown_user(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "There is no user “nobody@example.org”" in refused(monkeypatch, user="nobody@example.org")


@pytest.mark.parametrize(
    "text",
    ["", "key", "[]", "{}", '{"key": "k"}', '{"key": 1, "secret": "s"}', '{"key": "k", "secret": null}'],
)
def test_what_is_no_key_on_standard_input(alice: User, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    assert 'Give {"key": "…", "secret": "…"} on standard input.' in refused(monkeypatch, text=text)


@pytest.mark.parametrize("secret", ["", " ", "ä", "x" * 501, "two\nlines"])
def test_a_secret_that_cannot_be_one(alice: User, monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    said = refused(monkeypatch, text=json.dumps({"key": "k", "secret": secret}))

    assert "Copy it again" in said
    assert not secret.strip() or secret not in said


@pytest.mark.parametrize("label", ["mine", "MINE"])
def test_a_duplicate_label(
    alice: User, sandbox: dict[str, Exchange], monkeypatch: pytest.MonkeyPatch, label: str
) -> None:
    connect(monkeypatch)
    calls = len(sandbox["btse"].log)

    assert "this label already" in refused(monkeypatch, exchange="btse", label=label)
    assert len(sandbox["btse"].log) == calls


@pytest.mark.parametrize("label", ["", "  ", "x" * 61])
def test_a_label_that_cannot_be_one(alice: User, monkeypatch: pytest.MonkeyPatch, label: str) -> None:
    assert "label cannot be used" in refused(monkeypatch, label=label)


def test_sync_prints_a_line_for_each_connection_and_stream(
    alice: User, sandbox: dict[str, Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch)
    out = io.StringIO()
    call_command("sync", user="alice@example.org", stdout=out)

    lines = out.getvalue().splitlines()
    assert lines[0].startswith(f"{Connection.objects.get().pk} tether “mine”: done")
    assert [line.split(":")[0].strip() for line in lines[1:4]] == [
        "balances",
        "transactions",
        "exchange_orders",
    ]


def test_sync_fails_when_a_connection_failed_and_still_reads_the_others(
    alice: User, sandbox: dict[str, Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch, "btse", label="broken")
    connect(monkeypatch, "tether", label="well")
    sandbox["btse"].revoke(KEYS["btse"][0])
    out = io.StringIO()

    with pytest.raises(CommandError, match="“broken”"):
        call_command("sync", no_prices=True, stdout=out)

    assert "“well”: done" in out.getvalue()
    assert "does not accept this key" in out.getvalue()


def test_sync_of_a_connection_that_does_not_exist(alice: User) -> None:
    with pytest.raises(CommandError, match="There is no connection 77"):
        call_command("sync", connection=77)
