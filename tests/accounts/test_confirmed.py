"""Before a key changes, the session must have been confirmed lately; and what a session list ends, ends."""

from __future__ import annotations

import pytest
import time_machine
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts.confirmed import confirm_first
from accounts.models import User
from tests.conftest import PASSWORD


@confirm_first
def replace_key(request: HttpRequest) -> HttpResponse:
    """A view with a key."""
    return HttpResponse("done")


def ask(user: User, session: SessionStore, **headers: str) -> HttpResponse:
    request = RequestFactory().post("/key/", {"secret": "typed"}, headers=headers)
    request.user, request.session = user, session
    answer = replace_key(request)
    assert isinstance(answer, HttpResponse)
    return answer


def confirmed(user: User) -> SessionStore:
    request, session = RequestFactory().get("/"), SessionStore()
    request.user, request.session = user, session
    record_authentication(request, user, method="password")
    return session


def test_a_session_that_just_logged_in_is_not_asked_again(alice: User) -> None:
    assert ask(alice, confirmed(alice)).content == b"done"


def test_after_a_quarter_of_an_hour_it_is_asked_and_nothing_typed_is_kept(alice: User) -> None:
    session = confirmed(alice)
    with time_machine.travel(timezone.now().timestamp() + 901):
        answer = ask(alice, session)
    assert answer["Location"].startswith(reverse("account_reauthenticate"))
    assert "typed" not in str(dict(session.items()))


def test_another_users_confirmation_does_not_count(alice: User, bob: User) -> None:
    assert ask(bob, confirmed(alice)).status_code == 302


def test_htmx_is_told_to_go_there(alice: User) -> None:
    answer = ask(alice, SessionStore(), **{"HX-Request": "true"})
    assert answer.status_code == 200 and "reauthenticate" in answer["HX-Redirect"]


def logged_in(user: User) -> Client:
    client = Client()
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    return client


@pytest.fixture
def two(alice: User) -> tuple[Client, Client]:
    """Alice in two browsers."""
    return logged_in(alice), logged_in(alice)


def is_in(client: Client) -> bool:
    return client.get(reverse("settings")).status_code == 200


def test_the_session_list_shows_both_and_ends_the_other(two: tuple[Client, Client]) -> None:
    here, there = two
    assert here.get(reverse("usersessions_list")).content.decode().count("<tr>") == 3
    here.post(reverse("usersessions_list"))
    assert (is_in(here), is_in(there)) == (True, False)


def test_a_changed_password_ends_other_sessions(two: tuple[Client, Client]) -> None:
    here, there = two
    new = {"oldpassword": PASSWORD, "password1": "another pass phrase", "password2": "another pass phrase"}
    here.post(reverse("account_change_password"), new)
    assert (is_in(here), is_in(there)) == (True, False)


@pytest.mark.django_db(transaction=True)
def test_a_new_second_factor_ends_other_sessions(alice: User, two: tuple[Client, Client]) -> None:
    here, there = two
    here.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    secret = here.get(reverse("mfa_activate_totp")).context["form"].secret
    code = format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))
    here.post(reverse("mfa_activate_totp"), {"code": code})
    assert Authenticator.objects.filter(user=alice, type=Authenticator.Type.TOTP).exists()
    assert (is_in(here), is_in(there)) == (True, False)


def test_an_old_cookie_is_worth_nothing_after_log_out(two: tuple[Client, Client]) -> None:
    here, _ = two
    thief = Client()
    thief.cookies["session"] = here.cookies["session"].value
    assert is_in(thief)
    here.post(reverse("account_logout"))
    assert not is_in(thief)


@pytest.mark.parametrize(
    "name",
    ["account_change_password", "account_email", "mfa_index", "mfa_list_webauthn", "usersessions_list", "account_logout",
     "account_reauthenticate"],
)  # fmt: skip
def test_every_page_of_the_account_is_answered_in_the_frame(two: tuple[Client, Client], name: str) -> None:
    page = two[0].get(reverse(name), follow=True)
    body = page.content.decode()
    assert page.status_code == 200 and 'id="main"' in body
    assert "style=" not in body and "<style" not in body and "onclick" not in body
