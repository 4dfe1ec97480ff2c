"""What each kind of row is to the gains, and what has to be assumed."""

from __future__ import annotations

from decimal import Decimal

import pytest

from portfolio.corrections import Corrections
from portfolio.gains.ledger import Transfers
from portfolio.gains.records import AWAY, Arrival, Choice
from portfolio.models import Treatment
from tests.portfolio.gains.make import codes, moment, reading, row, shown

DAY = "2025-03-01"
BTC = f"{DAY} BTC 60000"
USDT = f"{DAY} USDT 0.999"


def test_a_purchase_for_dollars_costs_what_was_paid_and_its_fee_in_money_is_part_of_the_cost() -> None:
    found = reading(row(DAY, "trade", "0.5 BTC", "-30000 USD", "-15 USD fee"))
    assert shown(found) == [("buy", "0.5 BTC", "30000", "15", "bought")]
    assert codes(found) == {}


def test_a_sale_for_euros_is_worth_the_euros_of_that_day_less_the_fee() -> None:
    found = reading(row(DAY, "trade", "-1 BTC", "50000 EUR", "-10 EUR fee"), told=(f"{DAY} EUR 1.1", BTC))
    assert shown(found) == [("sell", "1 BTC", "55000", "11", "sale")]


def test_a_trade_against_a_token_is_worth_the_token_at_its_market_price_on_both_sides() -> None:
    found = reading(row(DAY, "trade", "1 BTC", "-60000 USDT"), told=(BTC, USDT))
    assert shown(found) == [
        ("sell", "60000 USDT", "59940", "0", "trade"),
        ("buy", "1 BTC", "59940", "0", "bought"),
    ]


def test_a_fee_in_an_asset_is_a_disposal_and_its_value_a_cost_of_the_trade() -> None:
    found = reading(row(DAY, "trade", "1 BTC", "-60000 USDT", "-0.001 BTC fee"), told=(USDT,))
    assert shown(found) == [
        ("spend", "0.001 BTC", "59.94", "0", "fee"),
        ("sell", "60000 USDT", "59940", "0", "trade"),
        ("buy", "1 BTC", "59940", "59.94", "bought"),
    ]


def test_an_exchange_without_any_price_counts_a_tokens_promise_and_says_so() -> None:
    found = reading(row(DAY, "trade", "1 XYZ", "-100 USDT"))
    assert {line[2] for line in shown(found)} == {"100"}
    assert codes(found) == {"par_assumed": 1}


def test_what_has_no_price_at_all_is_reported_and_asked_for() -> None:
    found = reading(row(DAY, "trade", "1 XYZ", "-2 ABC"))
    assert codes(found) == {"unpriced": 1}
    assert set(found.prices.missing) == {"XYZ", "ABC"}


def test_a_deposit_from_outside_costs_the_market_value_of_its_day_which_is_said() -> None:
    found = reading(row(DAY, "deposit", "2 BTC"), told=(BTC,))
    assert shown(found) == [("buy", "2 BTC", "120000", "0", "received")]
    assert found.lines[0].is_assumed and codes(found) == {"cost_unknown": 1}


def test_a_corrected_cost_takes_the_place_of_the_assumption() -> None:
    said = Corrections(costs={7: Decimal(1000)})
    found = reading(row(DAY, "deposit", "2 BTC", pk=7), told=(BTC,), corrections=said)
    assert shown(found) == [("buy", "2 BTC", "1000", "0", "received")]
    assert not found.lines[0].is_assumed and codes(found) == {}


def test_a_withdrawal_moves_away_and_realises_nothing_unless_chosen_otherwise() -> None:
    gone = row(DAY, "withdrawal", "-1 BTC", "-0.001 BTC fee")
    assert shown(reading(gone, told=(BTC,))) == [
        ("transfer", "1 BTC", "0", "0", "moved"),
        ("spend", "0.001 BTC", "60", "0", "fee"),
    ]
    spent = reading(gone, told=(BTC,), choices=(Choice(spends_withdrawals=True),))
    assert shown(spent)[0] == ("spend", "1 BTC", "60000", "0", "spent")


@pytest.mark.parametrize(
    ("treatment", "kind", "amount"),
    [
        (Treatment.SPENT, "spend", "-1 BTC"),
        (Treatment.MOVED, "transfer", "-1 BTC"),
        (Treatment.INCOME, "income", "1 BTC"),
        (Treatment.RETURNED, "transfer", "1 BTC"),
        (Treatment.ACQUIRED, "buy", "1 BTC"),
    ],
)
def test_the_users_word_on_what_a_row_was_counts(treatment: Treatment, kind: str, amount: str) -> None:
    said = Corrections(treatments={7: treatment})
    found = reading(row(DAY, "other", amount, pk=7), told=(BTC,), corrections=said)
    assert [line[0] for line in shown(found)] == [kind]


def test_a_row_that_the_user_leaves_out_is_left_out() -> None:
    said = Corrections(treatments={7: Treatment.IGNORED})
    assert shown(reading(row(DAY, "deposit", "1 BTC", pk=7), corrections=said)) == []


def test_an_own_transfer_keeps_its_lots_and_spends_only_what_was_lost_on_the_way() -> None:
    sent = row(DAY, "withdrawal", "-1 BTC", pk=1)
    came = row(DAY, "deposit", "0.999 BTC", pk=2, account="Tokens")
    arrival = Arrival(account="Tokens", quantity=Decimal("0.999"), at=moment(DAY, 13))
    own = Transfers(arrivals={1: (arrival,)}, arrived=frozenset({2}))
    found = reading(sent, came, told=(BTC,), transfers=own)
    assert shown(found) == [
        ("transfer", "0.999 BTC", "0", "0", "moved"),
        ("spend", "0.001 BTC", "60", "0", "fee"),
    ]
    assert found.lines[0].movement.to_account == "Tokens" and codes(found) == {}


def test_a_sending_that_arrived_in_part_is_away_with_the_rest() -> None:
    arrival = Arrival(account="Tokens", quantity=Decimal("0.4"), at=moment(DAY, 13))
    own = Transfers(arrivals={1: (arrival,)}, arrived=frozenset({2}))
    found = reading(row(DAY, "withdrawal", "-1 BTC", pk=1), told=(BTC,), transfers=own)
    assert [line.movement.to_account for line in found.lines] == ["Tokens", AWAY]
    assert codes(found) == {"moved_away": 1}


def test_income_is_acquired_at_its_value_and_counted_as_earned() -> None:
    found = reading(row(DAY, "income", "0.1 BTC"), row(DAY, "income", "5 USD"), told=(BTC,))
    assert shown(found) == [("income", "0.1 BTC", "6000", "0", "income")]
    assert [(income.asset, income.value) for income in found.incomes] == [
        ("BTC", Decimal(6000)),
        ("USD", Decimal(5)),
    ]


def test_money_has_no_lots() -> None:
    rows = [row(DAY, "deposit", "1000 USD"), row(DAY, "withdrawal", "-5 EUR"), row(DAY, "fee", "-1 USD")]
    assert shown(reading(*rows)) == []


def test_a_conversion_told_in_two_rows_is_one_exchange() -> None:
    out = row(DAY, "conversion", "-100 USDT", external_id="8")
    into = row(DAY, "conversion", "90 EURT", external_id="9")
    found = reading(out, into, told=(USDT,))
    assert shown(found) == [
        ("sell", "100 USDT", "99.9", "0", "trade"),
        ("buy", "90 EURT", "99.9", "0", "bought"),
    ]


def test_halves_of_different_accounts_or_times_stay_apart() -> None:
    out = row(DAY, "conversion", "-100 USDT")
    other = row(DAY, "conversion", "1 BTC", account="Tether")
    later = row(moment(DAY, 18), "conversion", "1 BTC")
    found = reading(out, other, later, told=(USDT, BTC))
    assert codes(found) == {"one_sided": 3}


def test_tether_issues_and_redeems_at_par() -> None:
    found = reading(row(DAY, "issue", "100 USDT"), row(DAY, "redeem", "-40 USDT", "-1 USDT fee"))
    assert shown(found) == [
        ("buy", "100 USDT", "100", "0", "bought"),
        ("spend", "1 USDT", "1", "0", "fee"),
        ("sell", "40 USDT", "40", "1", "redeemed"),
    ]
