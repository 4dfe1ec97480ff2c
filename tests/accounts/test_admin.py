"""The admin pages: for staff with a second factor, and blind for secrets."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.totp.internal.auth import TOTP
from auditlog.models import LogEntry
from django.contrib.messages import get_messages
from django.contrib.sessions.backends.base import SessionBase
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django import Settings

from accounts.keyfiles import new_vault_key
from accounts.keys import open_key, store_key
from accounts.models import Connection, State, User
from accounts.sealing import key_id
from exchanges.catalog import ExchangeName
from tests.conftest import make_connection, make_user

KEY, SECRET = "canarykeyid7f3a", "canarysecret0c9d"
CONNECTIONS = "admin:accounts_connection_changelist"


def confirm(client: Client, user: User) -> None:
    """As if the password had been entered just now."""
    request = RequestFactory().get("/")
    request.user, request.session = user, client.session
    record_authentication(request, user, method="password")
    session: SessionBase = request.session
    session.save()


@pytest.fixture
def admin(db: None) -> User:
    """A superuser with an authenticator app."""
    user = make_user("admin", is_staff=True, is_superuser=True)
    TOTP.activate(user, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    return user


@pytest.fixture
def as_admin(admin: User) -> Client:
    """A browser in which the superuser is logged in and has just been confirmed."""
    client = Client()
    client.force_login(admin)
    confirm(client, admin)
    return client


@pytest.fixture
def keyed(alice: User) -> Connection:
    """Alice's connection with the canary key."""
    connection = make_connection(alice)
    store_key(connection, KEY, SECRET)
    return connection


def change_page(connection: Connection) -> str:
    return reverse("admin:accounts_connection_change", args=[connection.pk])


def act(client: Client, action: str, *chosen: Connection) -> None:
    client.post(reverse(CONNECTIONS), {"action": action, "_selected_action": [c.pk for c in chosen]})


def test_a_visitor_is_sent_to_the_log_in_page_of_the_product(client: Client, alice: User) -> None:
    page = client.get(reverse("admin:index"), follow=True)
    assert page.redirect_chain[-1][0].startswith(reverse("account_login"))


def test_users_without_staff_rights_are_refused(as_alice: Client) -> None:
    assert as_alice.get(reverse("admin:index"), follow=True).status_code == 403


def test_staff_without_a_second_factor_are_led_to_set_one_up(db: None) -> None:
    client = Client()
    client.force_login(make_user("staff", is_staff=True, is_superuser=True))
    page = client.get(reverse(CONNECTIONS), follow=True)
    assert page.redirect_chain[-1][0] == reverse("mfa_index")
    assert "second factor" in str(next(iter(get_messages(page.wsgi_request)), "")) + page.content.decode()


def test_staff_with_a_second_factor_come_in(as_admin: Client) -> None:
    assert as_admin.get(reverse("admin:index")).status_code == 200


def test_a_key_set_in_the_admin_is_sealed_and_due(as_admin: Client, keyed: Connection) -> None:
    Connection.objects.filter(pk=keyed.pk).update(nonce=99, state=State.NEEDS_ATTENTION)
    as_admin.post(
        change_page(keyed), {"label": "new", "new_key": "freshkey1234", "new_secret": "freshsecret"}
    )
    stored = Connection.objects.get(pk=keyed.pk)
    assert open_key(stored).secret == "freshsecret"
    assert (stored.label, stored.state, stored.nonce) == ("new", State.ACTIVE, 99)


def test_leaving_the_key_fields_empty_keeps_the_key(as_admin: Client, keyed: Connection) -> None:
    as_admin.post(change_page(keyed), {"label": "renamed", "new_key": "", "new_secret": ""})
    stored = Connection.objects.get(pk=keyed.pk)
    assert (stored.label, open_key(stored).key) == ("renamed", KEY)


def test_an_account_of_own_entries_gets_no_key_and_keeps_its_name(as_admin: Client, alice: User) -> None:
    own = make_connection(alice, ExchangeName.OWN, label="Hardware wallet", state=State.PAUSED)
    given = {"label": "renamed", "new_key": KEY, "new_secret": SECRET}
    assert as_admin.post(change_page(own), given).status_code == 302
    stored = Connection.objects.get(pk=own.pk)
    assert (stored.label, stored.has_key, stored.state) == ("Hardware wallet", False, State.PAUSED)


@pytest.mark.parametrize(
    "half", [{"new_key": "only"}, {"new_secret": "only"}, {"new_key": "a\x07", "new_secret": "b"}]
)
def test_half_a_key_is_refused_and_not_shown_again(
    as_admin: Client, keyed: Connection, half: dict[str, str]
) -> None:
    answer = as_admin.post(change_page(keyed), {"label": "x"} | half)
    assert answer.status_code == 200 and 'value="only"' not in answer.content.decode()
    assert open_key(Connection.objects.get(pk=keyed.pk)).key == KEY


def test_a_session_not_confirmed_lately_is_asked_first_and_no_typed_key_is_kept(
    admin: User, keyed: Connection
) -> None:
    client = Client()
    client.force_login(admin)
    answer = client.post(
        change_page(keyed), {"label": "x", "new_key": "typedkey", "new_secret": "typedsecret"}
    )
    assert answer["Location"].startswith(reverse("account_reauthenticate"))
    assert "typed" not in json.dumps(dict(client.session.items()))
    assert open_key(Connection.objects.get(pk=keyed.pk)).key == KEY


def test_a_second_connection_with_the_same_label_is_a_form_error(as_admin: Client, keyed: Connection) -> None:
    make_connection(keyed.user, label="taken")
    answer = as_admin.post(change_page(keyed), {"label": "Taken", "new_key": "", "new_secret": ""})
    assert "Choose another label" in answer.content.decode()


def test_sync_now_pause_and_resume(as_admin: Client, keyed: Connection) -> None:
    act(as_admin, "pause", keyed)
    assert Connection.objects.get(pk=keyed.pk).state == State.PAUSED
    act(as_admin, "resume", keyed)
    before = Connection.objects.get(pk=keyed.pk)
    act(as_admin, "sync_now", keyed)
    after = Connection.objects.get(pk=keyed.pk)
    assert after.state == State.ACTIVE and after.next_sync_at > before.next_sync_at


def test_rotate_seals_again_and_reports_what_does_not_open(
    as_admin: Client, keyed: Connection, bob: User, settings: Settings
) -> None:
    broken = make_connection(bob, sealed_key="v1.none.x", sealed_secret="v1.none.x")
    settings.VAULT_KEYS = (new_vault_key(), *settings.VAULT_KEYS)
    act(as_admin, "rotate", keyed, broken)
    assert Connection.objects.get(pk=keyed.pk).key_version == key_id(settings.VAULT_KEYS[0])
    assert "Sealed again: 1" in as_admin.get(reverse(CONNECTIONS)).content.decode()


def test_each_key_action_is_one_row_in_the_audit_log_and_tells_no_secret(
    as_admin: Client, keyed: Connection, settings: Settings
) -> None:
    rows = LogEntry.objects.get_for_object(keyed)
    counts = [rows.count()]
    as_admin.post(
        change_page(keyed), {"label": keyed.label, "new_key": "freshkey1234", "new_secret": "freshsecret"}
    )
    counts.append(rows.count())
    settings.VAULT_KEYS = (new_vault_key(), *settings.VAULT_KEYS)
    act(as_admin, "rotate", keyed)
    counts.append(rows.count())
    assert counts == [counts[0], counts[0] + 1, counts[0] + 2]
    told = json.dumps([row.changes for row in rows])
    assert "fresh" not in told and "v1." not in told and "sealed" not in told
    assert rows.first().actor.email == "admin@example.org"


def test_a_nonce_drawn_or_a_lease_taken_is_no_audit_row(keyed: Connection) -> None:
    before = LogEntry.objects.count()
    keyed.draw_nonce(1)
    keyed.bump_failures()
    assert LogEntry.objects.count() == before


LOOKUPS = [
    "sealed_secret__startswith=v1",
    "sealed_key__contains=a",
    "sealed_secret=v1",
    "user__password__startswith=md5",
    "nonce__gt=1",
]


@pytest.mark.parametrize("query", LOOKUPS)
def test_sealed_fields_cannot_be_asked_about_in_an_address(
    as_admin: Client, keyed: Connection, query: str
) -> None:
    assert as_admin.get(f"{reverse(CONNECTIONS)}?{query}").status_code == 400


@pytest.mark.parametrize(
    "name", ["portfolio_run", "portfolio_transaction", "portfolio_raw", "portfolio_quarantine"]
)
def test_rows_of_a_sync_are_read_only_and_tell_nothing_sealed(
    as_admin: Client, keyed: Connection, name: str
) -> None:
    address = reverse(f"admin:{name}_changelist")
    assert as_admin.get(address).status_code == 200
    assert as_admin.get(f"{address}?connection__sealed_secret__startswith=v1").status_code == 400
    assert as_admin.get(reverse(f"admin:{name}_add")).status_code == 403


def crawl(client: Client, start: str) -> dict[str, str]:
    """Every admin page that links lead to, by address."""
    seen: dict[str, str] = {}
    todo = [start]
    while todo and len(seen) < 60:
        address = todo.pop(0)
        answer: Any = client.get(address)
        seen[address] = answer.content.decode(errors="replace") if not answer.streaming else ""
        for link in re.findall(r'href="([^"#]+)"', seen[address]):
            target = link.replace("&amp;", "&")
            target = address.split("?")[0] + target if target.startswith("?") else target
            resorted = "o=" in target.partition("?")[2]  # the same rows in another order
            if (
                target.startswith("/admin/")
                and "logout" not in target
                and not resorted
                and target not in seen
            ):
                todo.append(target)
    return seen


def test_no_admin_page_shows_a_secret(as_admin: Client, keyed: Connection, bob: User) -> None:
    as_admin.post(change_page(keyed), {"label": "x", "new_key": KEY, "new_secret": SECRET})
    pages = crawl(as_admin, reverse("admin:index"))
    stored = Connection.objects.get(pk=keyed.pk)
    hidden = [KEY, SECRET, stored.sealed_key, stored.sealed_secret, "JBSWY3DP", bob.password]
    assert change_page(keyed) in pages and len(pages) > 20
    assert [(address, word) for address, body in pages.items() for word in hidden if word in body] == []


def test_staff_who_are_no_superusers_cannot_give_themselves_rights(as_admin: Client, admin: User) -> None:
    User.objects.filter(pk=admin.pk).update(is_superuser=False)
    admin.refresh_from_db()
    admin.user_permissions.add(*admin.user_permissions.model.objects.filter(codename__endswith="_user"))
    page = reverse("admin:accounts_user_change", args=[admin.pk])
    as_admin.post(page, {"email": admin.email, "is_active": "on", "is_superuser": "on", "is_staff": "on"})
    admin.refresh_from_db()
    assert not admin.is_superuser


def test_a_user_can_be_deleted_with_all_that_is_theirs(as_admin: Client, keyed: Connection) -> None:
    as_admin.post(reverse("admin:accounts_user_delete", args=[keyed.user_id]), {"post": "yes"})
    assert not Connection.objects.filter(pk=keyed.pk).exists()
