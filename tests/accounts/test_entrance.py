"""Who may come in: the first visitor, people with a password, nobody who guesses."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from threading import Barrier

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.conf import settings as product_settings
from django.core import mail
from django.db import IntegrityError, connection
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User
from tests.conftest import PASSWORD, make_user

FORM = {"email": "owner@example.org", "password1": "a long pass phrase", "password2": "a long pass phrase"}


@pytest.mark.django_db
def test_the_first_visitor_is_led_to_making_the_owners_account(client: Client) -> None:
    page = client.get("/", follow=True)
    assert page.redirect_chain[-1][0] == reverse("account_signup")
    assert "the owner's" in page.content.decode()
    made = client.post(reverse("account_signup"), FORM)
    assert made["Location"] == reverse("mfa_index")
    owner = User.objects.get()
    assert owner.is_owner and owner.is_staff and owner.is_superuser


@pytest.mark.django_db
def test_the_owner_can_set_up_an_authenticator_app_at_once(client: Client) -> None:
    client.post(reverse("account_signup"), FORM)
    client.post(reverse("account_reauthenticate"), {"password": FORM["password1"]})
    page = client.get(reverse("mfa_activate_totp"))
    assert page.status_code == 200
    client.post(reverse("mfa_activate_totp"), {"code": code_for(page.context["form"].secret)})
    assert client.get(reverse("admin:index")).status_code == 200


def test_sign_up_is_closed_once_somebody_has_an_account(client: Client, alice: User) -> None:
    assert "Sign-up is closed" in client.get(reverse("account_signup")).content.decode()
    client.post(reverse("account_signup"), FORM)
    assert User.objects.count() == 1


def test_where_sign_up_is_open_the_second_visitor_is_no_owner(
    client: Client, alice: User, settings: Settings
) -> None:
    settings.SIGNUP_OPEN = True
    client.post(reverse("account_signup"), FORM)
    second = User.objects.get(email=FORM["email"])
    assert not (second.is_owner or second.is_staff or second.is_superuser)


@pytest.mark.django_db(transaction=True)
def test_of_two_first_visitors_at_once_one_becomes_the_owner() -> None:
    start = Barrier(2)

    def sign_up(name: str) -> None:
        client = Client()
        client.get(reverse("account_signup"))
        start.wait()
        client.post(reverse("account_signup"), FORM | {"email": f"{name}@example.org"})
        connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(sign_up, ["one", "two"]))
    assert User.objects.filter(is_owner=True).count() == 1
    assert User.objects.filter(is_superuser=True).count() == 1


def test_the_database_allows_one_owner_only(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_owner=True)
    with pytest.raises(IntegrityError):
        make_user("second", is_owner=True)


def test_log_in_is_by_e_mail_in_any_case(client: Client, alice: User) -> None:
    answer = client.post(reverse("account_login"), {"login": "Alice@Example.ORG", "password": PASSWORD})
    assert answer.status_code == 302
    assert client.session["_auth_user_id"] == str(alice.pk)


def test_after_ten_wrong_passwords_only_that_address_is_kept_out(alice: User) -> None:
    guesser, right_user = Client(REMOTE_ADDR="127.0.0.2"), Client(REMOTE_ADDR="127.0.0.3")
    login = reverse("account_login")
    for guess in range(10):
        guesser.post(login, {"login": alice.email, "password": f"wrong {guess}"})
    assert guesser.post(login, {"login": alice.email, "password": PASSWORD}).status_code == 200
    assert right_user.post(login, {"login": alice.email, "password": PASSWORD}).status_code == 302


def test_guessing_is_counted_before_a_password_is_hashed(alice: User, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["tests.accounts.counting.CountingHasher"]
    hashed = import_module("tests.accounts.counting").HASHED
    hashed.clear()
    client = Client(REMOTE_ADDR="127.0.0.4")
    for guess in range(25):
        client.post(reverse("account_login"), {"login": f"nobody{guess}@example.org", "password": "x"})
    assert 0 < len(hashed) <= 20


def test_a_forwarded_address_is_not_believed_without_a_proxy(alice: User) -> None:
    client = Client(REMOTE_ADDR="127.0.0.5")
    login = reverse("account_login")
    for guess in range(10):
        client.post(
            login, {"login": alice.email, "password": "no"}, headers={"x-forwarded-for": f"10.0.0.{guess}"}
        )
    blocked = client.post(login, {"login": alice.email, "password": PASSWORD})
    assert blocked.status_code == 200


def test_passwords_are_stored_with_argon2() -> None:
    product = import_module("portfolio.settings")
    assert "Argon2PasswordHasher" in product.PASSWORD_HASHERS[0]
    assert product_settings.AUTH_USER_MODEL == "accounts.User"


def test_a_password_reset_link_works_once_and_ends_other_sessions(client: Client, alice: User) -> None:
    elsewhere = Client()
    elsewhere.force_login(alice)
    client.post(reverse("account_reset_password"), {"email": alice.email})
    link = re.search(r"http://\S+", str(mail.outbox[0].body))
    assert link
    form = client.get(link[0], follow=True)
    new = {"password1": "another pass phrase", "password2": "another pass phrase"}
    client.post(form.redirect_chain[-1][0], new)
    alice.refresh_from_db()
    assert alice.check_password(new["password1"])
    assert "link was invalid" in Client().get(link[0]).content.decode()
    assert elsewhere.get("/").status_code == 302


def test_an_unknown_address_gets_the_same_answer_and_no_mail(client: Client, alice: User) -> None:
    answers = [
        client.post(reverse("account_reset_password"), {"email": email}, follow=True).redirect_chain
        for email in (alice.email, "nobody@example.org")
    ]
    assert answers[0] == answers[1]
    assert [m.to for m in mail.outbox] == [[alice.email]]


def code_for(secret: str, steps: int = 0) -> str:
    _before, now, _after = yield_hotp_counters_from_time()
    return str(format_hotp_value(hotp_value(secret, now + steps)))


@pytest.mark.parametrize(("steps", "taken"), [(-1, True), (-3, False), (3, False)])
def test_a_code_may_be_a_half_minute_late_and_not_more(alice: User, steps: int, taken: bool) -> None:
    app = TOTP.activate(alice, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    now = time.time()
    with time_machine.travel(now - now % 30 + 15, tick=False):
        assert app.validate_code(code_for("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", steps)) is taken


def test_an_authenticator_app_is_asked_for_at_log_in_and_its_secret_is_stored_sealed(alice: User) -> None:
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    TOTP.activate(alice, secret)
    stored = Authenticator.objects.get(user=alice).data["secret"]
    assert stored.startswith("v1.") and secret not in stored
    client = Client()
    asked = client.post(reverse("account_login"), {"login": alice.email, "password": PASSWORD})
    assert asked["Location"].startswith(reverse("mfa_authenticate"))
    assert client.get("/").status_code == 302
    client.post(reverse("mfa_authenticate"), {"code": code_for(secret)})
    assert client.session["_auth_user_id"] == str(alice.pk)


def test_a_factor_that_no_longer_opens_lets_nobody_in(alice: User) -> None:
    TOTP.activate(alice, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    Authenticator.objects.filter(user=alice).update(data={"secret": "v1.lost.token"})
    client = Client()
    client.post(reverse("account_login"), {"login": alice.email, "password": PASSWORD})
    client.post(reverse("mfa_authenticate"), {"code": code_for("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")})
    assert "_auth_user_id" not in client.session
