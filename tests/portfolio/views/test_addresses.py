"""Every address there is: closed to the anonymous, silent to a stranger, unchanged by GET. A new one must be added here."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import Connection, User
from portfolio.models import (
    Correction,
    GainsBundle,
    ImportBatch,
    ImportState,
    Quarantine,
    Transaction,
    TransferMatch,
)
from tests.conftest import make_connection
from tests.portfolio.factory import (
    make_history,
    make_proof,
    make_rate,
    make_run,
    make_snapshot,
    make_transaction,
)

CANARY = "kanarienvogel"
HTMX = {"HX-Request": "true"}
FORMS = [pytest.param({}, id="page"), pytest.param(HTMX, id="fragment")]
OWNED_BY_OTHERS = ("account_", "mfa_", "usersessions_", "admin:", "first_owner")
"""Pages of the packages and of the admin site; tested with accounts."""

PUBLIC = {
    "overview": (),
    "holdings": (),
    "ledger": (),
    "connections": (),
    "connection_choose": (),
    "rates": (),
    "settings": (),
    "derivation_total": (),
    "returns": (),
    "bridge": (),
    "prices": (),
    "gains": (),
    "gains_lots": (),
    "gains_problems": (),
    "gains_bundle_state": (),
    "transfers": (),
    "corrections": (),
    "imports": (),
    "proofs": (),
    "derivation_change": (),
}
"""Pages that everybody who is logged in has, each with their own things in it."""
PUBLIC_WITH = {
    "connection_add": ("btse",),
    "ledger_export": ("csv",),
    "derivation_price": ("BTC",),
    "returns_export": ("csv",),
    "worth_export": ("csv",),
    "holdings_export": ("csv",),
    "returns_method": ("twr",),
    "bridge_export": ("csv",),
    "prices_export": ("csv",),
    "gains_export": ("lots", "csv"),
    "transfers_export": ("csv",),
    "corrections_export": ("csv",),
    "imports_export": ("csv",),
    "correction_add": ("cost",),
}
PERSONAL = {
    "asset": ("asset",),
    "rate": ("asset",),
    "transaction": ("transaction",),
    "connection": ("connection",),
    "connection_key": ("connection",),
    "connection_remove": ("connection",),
    "derivation_balance": ("balance",),
    "derivation_value": ("asset",),
    "import_preview": ("import",),
    "connection_proofs": ("connection",),
    "connection_recorder": ("connection",),
    "proof": ("proof",),
    "derivation_day": ("day",),
    "gains_bundle": (),
}
"""Pages about one thing; a stranger gets 404."""
EFFECTS = {
    "connection_sync": ("connection",),
    "connection_pause": ("connection",),
    "connection_resume": ("connection",),
    "connection_check": ("connection",),
    "connection_walk": ("connection",),
    "connection_release": ("connection",),
    "quarantine_again": ("quarantine",),
    "theme": (),
    "hide_amounts": (),
    "money": (),
    "currency": (),
    "prices_import": (),
    "prices_order": (),
    "gains_bundle_order": (),
    "gains_choose": (),
    "gains_recompute": (),
    "transfers_look": (),
    "transfer_decide": ("match", "decision"),
    "correction_undo": ("correction",),
    "import_columns": ("import",),
    "import_commit": ("import",),
    "import_undo": ("done_import",),
}
"""Only by POST."""
FOR_MACHINES = {"health"}
"""Open to all, and tells nothing but whether the database and the cache answer."""
RECENT = {"connection_add", "connection_key", "connection_remove", "connection_check"}
"""Those that ask who you are once more."""


def names(patterns: list[Any], prefix: str = "") -> Iterator[str]:
    """The name of every address in the project."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            space = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from names(pattern.url_patterns, prefix + space)
        elif isinstance(pattern, URLPattern):
            yield prefix + (pattern.name or repr(pattern.pattern))


@pytest.fixture
def things(alice: User) -> dict[str, Any]:
    """What Alice owns, every text of hers with a canary in it."""
    connection = make_connection(alice, label=CANARY)
    make_rate("BTC")
    make_history(connection, "KANARI")
    make_run(connection, "history", error=CANARY)
    row = make_transaction(connection, ("KANARI", "1"), description=CANARY)
    balance = make_snapshot(connection, "KANARI")
    proof = make_proof(connection, "KANARI", verdict="unexplained", residual="1", note=CANARY)
    unread = Quarantine.objects.create(
        connection=connection, stream="history", source_id="1", digest="0", body=CANARY, reason=CANARY
    )
    GainsBundle.objects.create(user=alice, made_at=row.occurred_at)
    return {
        "connection": connection.public_id,
        "transaction": row.pk,
        "balance": balance.pk,
        "proof": proof.pk,
        "day": "2026-05-04",
        "quarantine": unread.pk,
        "asset": "KANARI",
        **own_things(alice, row),
    }


def own_things(user: User, row: Transaction) -> dict[str, Any]:
    """What Alice added herself."""
    into = make_transaction(row.connection, ("KANARI", "1"))
    match = TransferMatch.objects.create(user=user, outgoing=row, incoming=into, score=50, reasons=[CANARY])
    said = Correction.objects.create(
        user=user, author=user, kind="note", transaction=row, asset="KANARI", note=CANARY
    )
    batches = [
        ImportBatch.objects.create(user=user, name=CANARY, account=CANARY, state=state, content="time,kind\n")
        for state in (ImportState.PREVIEW, ImportState.DONE)
    ]
    return {
        "match": match.pk,
        "decision": "confirm",
        "correction": said.pk,
        "import": batches[0].pk,
        "done_import": batches[1].pk,
    }


def address(name: str, things: dict[str, Any]) -> str:
    """The address of that name about Alice's things."""
    if name in PUBLIC_WITH:
        return reverse(name, args=PUBLIC_WITH[name])
    return reverse(name, args=[things[key] for key in (PERSONAL | EFFECTS | PUBLIC)[name]])


def test_every_address_is_in_this_file() -> None:
    known = {*PUBLIC, *PUBLIC_WITH, *PERSONAL, *EFFECTS, *FOR_MACHINES}
    ours = {name for name in names(get_resolver().url_patterns) if not name.startswith(OWNED_BY_OTHERS)}

    assert ours == known


def test_an_anonymous_visitor_is_led_to_the_log_in(
    client: Client, things: dict[str, Any], subtests: pytest.Subtests
) -> None:
    for name, ask in product(sorted({*PUBLIC, *PUBLIC_WITH, *PERSONAL, *EFFECTS}), (client.get, client.post)):
        with subtests.test(name):
            response = ask(address(name, things))
            assert response.status_code == 302
            assert response["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("headers", FORMS)
def test_a_stranger_finds_nothing(
    as_charlie: Client,
    things: dict[str, Any],
    proved: None,
    headers: dict[str, str],
    subtests: pytest.Subtests,
) -> None:
    for name in sorted(PERSONAL):
        with subtests.test(name):
            assert as_charlie.get(address(name, things), headers=headers).status_code == 404


def test_a_stranger_changes_nothing(
    as_charlie: Client, things: dict[str, Any], proved: None, subtests: pytest.Subtests
) -> None:
    before = list(Connection.objects.values())

    for name in sorted(name for name, about in EFFECTS.items() if about):
        with subtests.test(name):
            assert as_charlie.post(address(name, things)).status_code == 404
            assert list(Connection.objects.values()) == before


@pytest.mark.parametrize("headers", FORMS)
def test_a_strangers_own_pages_hold_nothing_of_others(
    as_charlie: Client,
    things: dict[str, Any],
    proved: None,
    headers: dict[str, str],
    subtests: pytest.Subtests,
) -> None:
    for name in sorted({*PUBLIC, *PUBLIC_WITH}):
        with subtests.test(name):
            response = as_charlie.get(address(name, things), headers=headers)
            body = b"".join(response)
            assert response.status_code == 200
            assert CANARY.encode() not in body
            assert b"KANARI" not in body


@pytest.mark.parametrize("headers", FORMS)
def test_the_owner_sees_them_whole_and_as_fragments(
    as_alice: Client,
    things: dict[str, Any],
    proved: None,
    headers: dict[str, str],
    subtests: pytest.Subtests,
) -> None:
    for name in sorted({*PUBLIC, *PUBLIC_WITH, *PERSONAL}):
        with subtests.test(name):
            response = as_alice.get(address(name, things), headers=headers)
            assert response.status_code in {200, 286}
            assert response["Cache-Control"] == "no-store, private"


def test_effects_come_by_post_alone(
    as_alice: Client, things: dict[str, Any], subtests: pytest.Subtests
) -> None:
    for name in sorted(EFFECTS):
        with subtests.test(name):
            assert as_alice.get(address(name, things)).status_code == 405


@pytest.mark.parametrize("name", sorted(RECENT))
def test_keys_are_changed_only_by_who_proved_lately_who_they_are(
    as_alice: Client, things: dict[str, Any], name: str
) -> None:
    secret = {"label": "x", "key": "k-canary", "secret": "s-canary", "confirmation": CANARY}

    posted = as_alice.post(address(name, things), secret)
    asked = as_alice.get(posted["Location"]) if name != "connection_check" else posted

    assert posted.status_code == asked.status_code == 302
    assert "canary" not in str(dict(as_alice.session.items()))
    assert Connection.objects.get().label == CANARY


def test_no_form_is_taken_without_its_token(alice: User, things: dict[str, Any]) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)

    answers = {name: strict.post(address(name, things)).status_code for name in EFFECTS}

    assert set(answers.values()) == {403}


@pytest.mark.django_db(transaction=True)
def test_a_supervisor_learns_whether_it_lives(client: Client) -> None:
    answer = client.get(reverse("health"), {"format": "json"})

    assert answer.status_code == 200
    assert set(answer.json().values()) == {"OK"}
