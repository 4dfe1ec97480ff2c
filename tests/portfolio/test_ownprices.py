"""A file of prices is looked at first, says what is wrong line by line, and changes nothing when it comes twice."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from accounts.models import User
from portfolio import ownprices
from portfolio.models import Correction

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
HEADER = "date,asset,price_usd\n"


def drafted(user: User, lines: str) -> ownprices.Draft:
    """What these lines would do."""
    return ownprices.draft(user, HEADER + lines, NOW.date())


def test_twice_is_once(alice: User) -> None:
    ownprices.take(alice, drafted(alice, "2026-03-01,tok,1.5\n2026-03-02,tok,1.6\n"), NOW)
    again = drafted(alice, "2026-03-01,tok,1.50\n2026-03-02,TOK,1.6\n")
    assert (len(again.new), len(again.changed), again.same) == (0, 0, 2)
    assert not again.can_be_taken


def test_another_price_undoes_the_one_before_and_keeps_it(alice: User) -> None:
    ownprices.take(alice, drafted(alice, "2026-03-01,TOK,1.5\n"), NOW)
    ownprices.take(alice, drafted(alice, "2026-03-01,TOK,2\n"), NOW)
    rows = Correction.objects.order_by("pk").values_list("amount", "undone_at", "author")
    assert list(rows) == [(Decimal("1.5"), NOW, alice.pk), (Decimal(2), None, alice.pk)]


def test_prices_of_one_user_are_no_others(alice: User, bob: User) -> None:
    ownprices.take(alice, drafted(alice, "2026-03-01,TOK,1.5\n"), NOW)
    assert len(drafted(bob, "2026-03-01,TOK,1.5\n").new) == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("yesterday,TOK,1", "the date 'yesterday' is not like 2024-05-01."),
        ("2026-03-11,TOK,1", "the date 2026-03-11 is before 2000 or after today."),
        ("2026-03-01,,1", "the asset '' is no name of at most 32 characters."),
        ("2026-03-01,USD,1", "a dollar is a dollar; it takes no price."),
        ("2026-03-01,TOK,0", "the price is not above zero."),
        ("2026-03-01,TOK,NaN", "the price_usd 'NaN' is not a number."),
        ("2026-03-01,TOK,1_0", "the price_usd '1_0' is not a number."),
        ("2026-03-01,TOK", "the number of cells is 2, in the header 3."),
    ],
)
def test_each_line_that_is_wrong_is_named(alice: User, line: str, reason: str) -> None:
    found = drafted(alice, f"2026-03-01,OK,1\n{line}\n2026-03-02,OK,x\n")
    assert (found.wrong[0].line, found.wrong[0].reason) == (3, reason)
    assert found.wrong[1].line == 4
    ownprices.take(alice, found, NOW)
    assert not Correction.objects.exists()


def test_a_file_that_says_two_things_of_a_day_is_wrong(alice: User) -> None:
    found = drafted(alice, "2026-03-01,TOK,1\n2026-03-01,TOK,2\n")
    assert found.wrong[0].reason == "a line above gives TOK another price on 2026-03-01."


@pytest.mark.parametrize("text", ["", "date,asset\n", '"', "\0"])
def test_what_is_no_table_is_said_so(alice: User, text: str) -> None:
    assert ownprices.draft(alice, text, date(2026, 3, 10)).wrong
