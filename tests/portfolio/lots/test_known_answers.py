"""Gains that others have published."""

from decimal import Decimal

import pytest

from portfolio.lots import Method, settle
from tests.known_answers import known_answer
from tests.portfolio.lots.make import move, total_gain


def test_hmrc_pools_its_own_example() -> None:
    case = known_answer("hmrc-22251")
    rows = [
        move(f"2020-{day}", "buy" if quantity[0] == "+" else "sell", quantity[1:], value)
        for day, quantity, value in case["tx"]
    ]
    gains = settle(rows, Method.UK)

    assert sum(disposal.gain for disposal in gains.disposals) == Decimal(case["expected_gain"])
    assert [[str(lot.quantity), str(lot.cost.normalize().quantize(1))] for lot in gains.open_lots] == [
        case["closing_pool"]
    ]


@pytest.mark.parametrize("method", list(Method))
def test_the_profit_of_the_whole_does_not_depend_on_the_method(method: Method) -> None:
    case = known_answer("ghostfolio-identity")
    rows = [
        move(day, side.lower(), quantity, Decimal(quantity) * Decimal(price))
        for day, side, quantity, price in case["tx"]
    ]
    gains = settle(rows, method)
    held = sum((lot.quantity for lot in gains.open_lots), Decimal(0))
    unrealised = held * Decimal(case["price_now"]) - sum((lot.cost for lot in gains.open_lots), Decimal(0))

    assert held == Decimal(case["expected_quantity"])
    assert sum(disposal.gain for disposal in gains.disposals) + unrealised == Decimal(
        case["expected_total_pnl"]
    )


@pytest.mark.parametrize(("per_account", "expected"), [(False, "universal"), (True, "per_account")])
def test_two_exchanges_count_together_or_apart(per_account: bool, expected: str) -> None:
    case = known_answer("forum-two-exchanges")
    rows = [
        move(
            int(day[1:]),
            "sell" if quantity[0] == "-" else "buy",
            quantity[1:],
            Decimal(quantity[1:]) * Decimal(price),
            account=account,
        )
        for account, day, quantity, price in case["tx"]
    ]

    assert total_gain(rows, Method.FIFO, per_account=per_account) == Decimal(case[f"expected_{expected}"])
