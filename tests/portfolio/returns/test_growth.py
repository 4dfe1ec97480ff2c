"""The conventions of the time-weighted index, one by one."""

from datetime import date
from decimal import Decimal

import pytest

from portfolio.returns import Refused, chain, growths, max_drawdown, measure, volatility
from tests.portfolio.returns.make import close, dated, days


def test_money_comes_in_at_the_start_of_its_day() -> None:
    assert chain(growths(days((110, 100)))) == Decimal("0.1")
    assert chain(growths(days((100, 100), (220, 100)))) == Decimal("0.1")


def test_money_leaves_at_the_end_of_its_day() -> None:
    assert chain(growths(days((100, 100), (60, -50)))) == Decimal("0.1")


def test_a_first_value_without_flow_was_there_before() -> None:
    returns = measure(days(100, 110))

    assert (returns.opening, returns.twr.value) == (Decimal(100), Decimal("0.1"))
    assert returns.days == 1


def test_an_opening_value_makes_the_first_day_count() -> None:
    returns = measure(days(110, 121), opening=Decimal(100))

    assert (returns.twr.value, returns.simple.value, returns.days) == (Decimal("0.21"), Decimal("0.21"), 2)


def test_an_emptied_portfolio_rests_and_goes_on_when_refilled() -> None:
    rows = days((100, 100), (0, -110), 0, 0, (55, 50), 66)

    assert chain(growths(rows)) == Decimal("1.1") * Decimal("1.1") * Decimal("1.2") - 1


def test_what_is_lost_entirely_stays_lost() -> None:
    returns = measure(days((100, 100), 0, (50, 50), 60))

    assert (returns.twr.value, returns.max_drawdown.value) == (Decimal(-1), Decimal(-1))
    assert returns.volatility.reason == "Everything was lost on 2020-01-02, which has no logarithm."


def test_a_day_without_value_is_bridged_when_no_money_moved() -> None:
    assert chain(growths(days((100, 100), None, 121))) == Decimal("0.21")


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "There are no days."),
        ([(100, 100), None], "The value on the last day, 2020-01-02, is missing."),
        ([(None, 100), 100], "The value on the first day, 2020-01-01, is missing."),
        ([(100, 100), (None, 5), 110], "The value on 2020-01-02 is missing, and money moved on that day."),
        ([(100, 100), None, (110, 5)], "The value on 2020-01-02 is missing, and money moved on 2020-01-03."),
        ([(100, 100), -5, 10], "The value on 2020-01-02 is below zero, where a percentage means nothing."),
        ([0, 100], "On 2020-01-02 there was value where nothing was before and no money came in."),
        ([0, 0], "Nothing was held from one value to the next."),
        ([(0, -100)], "On 2020-01-01 there was value where nothing was before and no money came in."),
    ],
)
def test_a_return_that_would_be_a_guess_is_refused(rows: list[object], reason: str) -> None:
    returns = measure(days(*rows))

    assert (returns.twr.value, returns.twr.reason) == (None, reason)
    assert (returns.max_drawdown.value, returns.max_drawdown.reason) == (None, reason)
    assert returns.best_day is None


def test_a_drawdown_knows_its_dates() -> None:
    drawdown = max_drawdown(growths(days((100, 100), 120, 90, 60, 90, 120, 119)))

    assert drawdown.depth == Decimal("-0.5")
    assert (drawdown.peak_on, drawdown.low_on, drawdown.recovered_on) == (
        date(2020, 1, 2),
        date(2020, 1, 4),
        date(2020, 1, 6),
    )


def test_a_first_day_that_loses_falls_from_before_the_first_day() -> None:
    drawdown = max_drawdown(growths(days((80, 100), 90)))

    assert (drawdown.depth, drawdown.peak_on, drawdown.recovered_on) == (Decimal("-0.2"), None, None)


def test_a_deeper_fall_after_a_recovery_replaces_the_first() -> None:
    drawdown = max_drawdown(growths(days((100, 100), 90, 100, 50)))

    assert (drawdown.depth, drawdown.low_on, drawdown.recovered_on) == (
        Decimal("-0.5"),
        date(2020, 1, 4),
        None,
    )


def test_a_withdrawal_is_no_drawdown() -> None:
    assert max_drawdown(growths(days((100, 100), (10, -90), 11))).depth == 0


def test_volatility_is_the_spread_of_daily_log_returns_over_a_year() -> None:
    # Log returns 0, ln 1.1, -ln 1.1 have a sample deviation of ln 1.1; times the root of 365.
    assert close(volatility(growths(days((100, 100), 110, 100))), "1.820898", "1e-6")


def test_days_on_which_nothing_was_held_have_no_spread() -> None:
    held = volatility(growths(days((100, 100), 110, (0, -100))))

    assert volatility(growths(days(0, 0, (100, 100), 110, (0, -100), 0))) == held


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([100, 110], "At least two daily returns are needed."),
        ([100, None, 110, 120], "Between 2020-01-01 and 2020-01-03 the daily values are missing."),
    ],
)
def test_volatility_needs_days(rows: list[object], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        volatility(growths(days(*rows)))


def test_best_and_worst_day_are_single_days() -> None:
    returns = measure(days((100, 100), 110, 99, 99))

    assert returns.best_day is not None and returns.worst_day is not None
    assert (returns.best_day.on, returns.best_day.value) == (date(2020, 1, 2), Decimal("0.1"))
    assert (returns.worst_day.on, returns.worst_day.value) == (date(2020, 1, 3), Decimal("-0.1"))


def test_only_a_span_above_one_year_is_annualised() -> None:
    year = dated([("2021-01-01", 110, 100), ("2021-12-31", 121, 0)])
    two_years = dated([("2021-01-01", 110, 100), ("2022-12-31", 121, 0)])

    assert measure(year).twr_yearly.reason == "The span of 365 days is not above one year."
    assert measure(two_years).twr_yearly.value == Decimal("0.1")
