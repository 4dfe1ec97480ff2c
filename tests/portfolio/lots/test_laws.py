"""What must hold for every history under every method."""

from decimal import Decimal, localcontext
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from portfolio.lots import Kind, Match, Method, Movement, settle
from tests.portfolio.lots.make import move

AMOUNTS = st.decimals("0.00000001", 1000, places=8)
VALUES = st.decimals(0, 100000, places=4)
METHODS = st.sampled_from(Method)
ZERO = Decimal(0)


@st.composite
def histories(draw: st.DrawFn) -> list[Movement]:
    """Up to twenty rows over two assets and three accounts, with days in common and sales of nothing."""
    rows = []
    for day in sorted(draw(st.lists(st.integers(0, 60), max_size=20))):
        kind = draw(st.sampled_from(Kind))
        here, there = draw(st.permutations("ABC"))[:2]
        rows.append(
            move(
                day,
                kind,
                draw(AMOUNTS),
                ZERO if kind is Kind.TRANSFER else draw(VALUES),
                fee=draw(st.sampled_from(["0", "1.01", "0.333333333333333333"])),
                asset=draw(st.sampled_from(["BTC", "ETH"])),
                account=here,
                to_account=there if kind is Kind.TRANSFER else "",
            )
        )
    return rows


def _spent(rows: list[Movement]) -> Decimal:
    bought = sum((row.value for row in rows if row.kind in (Kind.BUY, Kind.INCOME)), ZERO)
    return bought + sum((row.fee for row in rows if row.kind not in (Kind.SELL, Kind.SPEND)), ZERO)


def _received(rows: list[Movement]) -> Decimal:
    return sum((row.value - row.fee for row in rows if row.kind in (Kind.SELL, Kind.SPEND)), ZERO)


@given(rows=histories(), method=METHODS, per_account=st.booleans())
def test_realised_and_unrealised_are_proceeds_less_cost_whatever_the_method(
    rows: list[Movement], method: Method, per_account: bool
) -> None:
    gains = settle(rows, method, per_account=per_account)
    realised = sum((disposal.gain for disposal in gains.disposals), ZERO)
    open_cost = sum((lot.cost for lot in gains.open_lots), ZERO)

    assert realised - open_cost - gains.unplaced_fees == _received(rows) - _spent(rows)


EXTREMES = st.sampled_from(["1E-30", "3.000000000000000000000000000001", "999999999999999999999999.7", "0.1"])


@given(bought=st.lists(st.tuples(EXTREMES, EXTREMES), min_size=1, max_size=6), sold=EXTREMES, method=METHODS)
def test_the_largest_and_smallest_numbers_stay_exact(
    bought: list[tuple[str, str]], sold: str, method: Method
) -> None:
    rows = [move(0, "buy", quantity, value) for quantity, value in bought]
    gains = settle([*rows, move(40, "sell", sold, 1), move(60, "sell", sold, 1)], method)
    with localcontext(prec=100):
        costs = [part.cost for part in gains.disposals] + [lot.cost for lot in gains.open_lots]

        assert sum(costs) == _spent(rows)
        assert sum(part.proceeds for part in gains.disposals) == 2


@given(rows=histories(), method=METHODS, per_account=st.booleans())
def test_no_unit_appears_or_is_lost(rows: list[Movement], method: Method, per_account: bool) -> None:
    gains = settle(rows, method, per_account=per_account)
    inflow = sum((row.quantity for row in rows if row.kind in (Kind.BUY, Kind.INCOME)), ZERO)
    outflow = sum((row.quantity for row in rows if row.kind in (Kind.SELL, Kind.SPEND)), ZERO)
    missing = sum((lack.quantity for lack in gains.shortfalls), ZERO)

    assert sum((disposal.quantity for disposal in gains.disposals), ZERO) == outflow
    assert inflow + missing == outflow + sum((lot.quantity for lot in gains.open_lots), ZERO)


@given(rows=histories(), method=METHODS)
def test_transfers_without_fee_keep_the_total_cost(rows: list[Movement], method: Method) -> None:
    moved = [row._replace(fee=ZERO) for row in rows if row.kind in (Kind.BUY, Kind.INCOME, Kind.TRANSFER)]
    lots = settle(moved, method, per_account=True).open_lots

    assert sum((lot.cost for lot in lots), ZERO) == _spent(moved)


@given(rows=histories(), method=METHODS, per_account=st.booleans(), seed=st.integers())
def test_the_order_of_equal_times_is_never_seen(
    rows: list[Movement], method: Method, per_account: bool, seed: int
) -> None:
    shuffled = rows.copy()
    Random(seed).shuffle(shuffled)
    shuffled.sort(key=lambda row: row.time)

    assert settle(shuffled, method, per_account=per_account) == settle(rows, method, per_account=per_account)


@given(rows=histories(), method=METHODS, per_account=st.booleans())
def test_each_disposal_is_told_in_full(rows: list[Movement], method: Method, per_account: bool) -> None:
    for disposal in settle(rows, method, per_account=per_account).disposals:
        assert disposal.quantity > 0
        assert disposal.gain == disposal.proceeds - disposal.cost
        assert disposal.cost == 0 or disposal.match is not Match.MISSING
        assert disposal.acquired is None or disposal.match in (Match.LOT, Match.SAME_DAY, Match.THIRTY_DAYS)
