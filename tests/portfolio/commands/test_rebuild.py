"""`manage.py rebuild` says that all is identical, or names the first row that is not, and puts it right when told."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import User
from portfolio.models import BalanceSnapshot, Posting, Proof, Raw, Transaction
from tests.portfolio.desks import Desk, desk

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["btse", "tether", "tokens_net"])
def at(request: pytest.FixtureRequest, alice: User) -> Desk:
    """An account that was read a few times while it lived on."""
    found = desk(alice, request.param, world={"years": 0.1})
    for _ in range(3):
        found.later(900)
        found.sync()
        found.tell()
    return found


def rebuild(**options: bool) -> str:
    """What the command prints."""
    out = io.StringIO()
    call_command("rebuild", stdout=out, **options)
    return out.getvalue()


def test_what_stands_is_what_raw_says(at: Desk) -> None:
    assert rebuild().endswith("identical\n")


DAMAGE: dict[str, Callable[[], object]] = {
    "kind": lambda: Transaction.objects.order_by("pk")[:1].get().delete(),
    "amount": lambda: Posting.objects.filter(pk=Posting.objects.order_by("pk")[3].pk).update(amount="1"),
    "posting": lambda: Posting.objects.order_by("pk")[:1].get().delete(),
    "status": lambda: Transaction.objects.filter(
        pk=Transaction.objects.filter(status="completed")[0].pk
    ).update(status="pending"),
    "balance": lambda: BalanceSnapshot.objects.filter(pk=BalanceSnapshot.objects.all()[0].pk).update(total=7),
    "snapshot": lambda: BalanceSnapshot.objects.all()[0].delete(),
    "proof": lambda: Proof.objects.filter(pk=Proof.objects.all()[0].pk).update(residual=7),
}


@pytest.mark.parametrize("at", ["tether"], indirect=True)
@pytest.mark.parametrize("damage", sorted(DAMAGE))
def test_the_first_difference_is_named_and_put_right_when_told(at: Desk, damage: str) -> None:
    DAMAGE[damage]()

    with pytest.raises(CommandError, match=r"differs\. .*stands .*, derived "):
        rebuild()
    rebuild(write=True)

    assert rebuild().endswith("identical\n")
    at.assert_true()


def test_all_that_was_derived_can_be_lost(at: Desk) -> None:
    before = sorted(Transaction.objects.values_list("external_id", "leg", "status", "first_seen"))
    Proof.objects.all().delete()
    Transaction.objects.all().delete()
    BalanceSnapshot.objects.all().delete()

    rebuild(write=True)

    assert rebuild().endswith("identical\n")
    assert sorted(Transaction.objects.values_list("external_id", "leg", "status", "first_seen")) == before
    at.assert_true()


def test_raw_is_never_touched(at: Desk) -> None:
    before = list(Raw.objects.order_by("pk").values())
    Transaction.objects.all().delete()

    rebuild(write=True)

    assert list(Raw.objects.order_by("pk").values()) == before


def test_a_connection_that_is_being_read_is_left_alone(at: Desk) -> None:
    at.connection.take_lease("worker", timezone.now())

    with pytest.raises(CommandError, match="is being read just now"):
        rebuild()
