"""Judges which row that went out arrived as which row that came in, and gives its reasons. Pure.

A pair is considered when asset and direction fit, both rows are of different accounts, the arrival lies within
`WINDOW` after the sending (or before it by no more than clocks differ), and the amounts differ by no more than a
fee. Each row looks only at its neighbours in time and amount, so the work grows with the rows, not with their pairs.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

WINDOW = timedelta(days=7)
CLOCK = timedelta(minutes=10)
"""How much earlier than the sending an arrival may be dated: two exchanges, two clocks."""
MOST_FEE = Decimal("0.02")
"""The share of an amount that may be lost on the way without being stated."""
ENOUGH = 50
NEIGHBOURS = 20
BEST = 3
MOST_PARTS = 5
SAME_HASH, SOLE, SAME_WORD = 40, 15, 5
_SPEEDS = (
    (timedelta(hours=1), 30, "an hour"),
    (timedelta(hours=6), 25, "six hours"),
    (timedelta(days=1), 15, "a day"),
    (timedelta(days=3), 8, "three days"),
    (WINDOW, 3, "a week"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A row that went out or came in: its amount without sign and without the fee that was stated beside it."""

    pk: int
    at: datetime
    account: str
    asset: str
    amount: Decimal
    fee: Decimal = Decimal(0)
    kind: str = ""
    network_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A pair with its score of 100 at most, and what each reason brought."""

    outgoing: Moved
    incoming: Moved
    score: int
    reasons: tuple[str, ...]
    is_certain: bool = False
    is_split: bool = False


def candidates(out: Iterable[Moved], into: Iterable[Moved]) -> list[Candidate]:
    """The pairs worth asking about, the best of each arrival first."""
    leaving, arriving = _by_asset(out), _by_asset(into)
    found: list[Candidate] = []
    for asset in sorted(leaving.keys() & arriving.keys()):
        pairs = list(_pairs(leaving[asset], arriving[asset]))
        whole = _with_sole_ones(pairs)
        taken = {c.outgoing.pk for c in whole}, {c.incoming.pk for c in whole}
        found += whole
        found += _in_parts(
            [row for row in leaving[asset] if row.pk not in taken[0]],
            [row for row in arriving[asset] if row.pk not in taken[1]],
        )
    return found


def _by_asset(rows: Iterable[Moved]) -> dict[str, list[Moved]]:
    groups: dict[str, list[Moved]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.at, row.pk)):
        groups[row.asset].append(row)
    return groups


def _pairs(leaving: Sequence[Moved], arriving: Sequence[Moved]) -> Iterator[Candidate]:
    """Each arrival with the sendings near it: `live` holds those within the window, in order of amount."""
    live: list[tuple[Decimal, datetime, int]] = []
    known = {row.pk: row for row in leaving}
    begin = end = 0
    for arrival in arriving:
        while end < len(leaving) and leaving[end].at <= arrival.at + CLOCK:
            insort(live, _place(leaving[end]))
            end += 1
        while begin < end and leaving[begin].at < arrival.at - WINDOW:
            del live[bisect_left(live, _place(leaving[begin]))]
            begin += 1
        middle = bisect_right(live, (arrival.amount, arrival.at + CLOCK, arrival.pk))
        near = live[max(0, middle - NEIGHBOURS) : middle + NEIGHBOURS]
        judged = [judge(known[pk], arrival) for _, _, pk in near]
        good = [candidate for candidate in judged if candidate is not None]
        yield from sorted(good, key=lambda c: (-c.score, c.outgoing.at, c.outgoing.pk))[:BEST]


def _place(row: Moved) -> tuple[Decimal, datetime, int]:
    return (row.amount, row.at, row.pk)


def judge(outgoing: Moved, incoming: Moved) -> Candidate | None:
    """What speaks for a pair; None where something forbids it."""
    if outgoing.account == incoming.account or outgoing.asset != incoming.asset:
        return None
    delay = incoming.at - outgoing.at
    amount = _amount(outgoing, incoming.amount)
    if amount is None or not -CLOCK <= delay <= WINDOW:
        return None
    hashes = {_hash(outgoing), _hash(incoming)} - {""}
    is_certain = len(hashes) == 1 and bool(outgoing.network_id) and bool(incoming.network_id)
    if len(hashes) == 2:
        return None
    reasons = [amount, _speed(delay)]
    if is_certain:
        reasons.append((SAME_HASH, "both name the same transaction on the chain"))
    if outgoing.kind.startswith("transfer") == incoming.kind.startswith("transfer"):
        reasons.append((SAME_WORD, f"{_words(outgoing.kind)} to {_words(incoming.kind)}"))
    return _candidate(outgoing, incoming, reasons, is_certain=is_certain)


def _candidate(
    outgoing: Moved,
    incoming: Moved,
    reasons: Sequence[tuple[int, str]],
    *,
    is_certain: bool = False,
    is_split: bool = False,
) -> Candidate:
    return Candidate(
        outgoing=outgoing,
        incoming=incoming,
        score=min(100, sum(points for points, _ in reasons)),
        reasons=tuple(f"+{points} {why}" for points, why in reasons),
        is_certain=is_certain,
        is_split=is_split,
    )


def _amount(outgoing: Moved, arrived: Decimal) -> tuple[int, str] | None:
    """How the amounts fit: equal, apart by the stated fee, or by a small unstated one."""
    lost = outgoing.amount - arrived
    if not lost:
        return 45, "the amounts are equal"
    if outgoing.fee and abs(lost) == outgoing.fee:
        return 40, "the amounts differ by the stated fee"
    if lost < 0:
        return None
    if lost <= outgoing.amount * MOST_FEE:
        return 20, "the amounts differ by a little, as a fee on the way would"
    return None


def _speed(delay: timedelta) -> tuple[int, str]:
    if delay < timedelta(0):
        return 25, "it arrived at the same time, as far as two clocks can tell"
    for limit, points, words in _SPEEDS:
        if delay <= limit:
            return points, f"it arrived within {words}"
    return 0, "it arrived later"


def _with_sole_ones(pairs: Sequence[Candidate]) -> list[Candidate]:
    """Points where neither row has another partner; then only what scores enough."""
    out: dict[int, int] = defaultdict(int)
    into: dict[int, int] = defaultdict(int)
    for pair in pairs:
        out[pair.outgoing.pk] += 1
        into[pair.incoming.pk] += 1
    judged = []
    for pair in pairs:
        if out[pair.outgoing.pk] == into[pair.incoming.pk] == 1:
            pair = replace(
                pair,
                score=min(100, pair.score + SOLE),
                reasons=(*pair.reasons, f"+{SOLE} neither has another partner"),
            )
        else:
            pair = replace(pair, is_certain=pair.is_certain and into[pair.incoming.pk] == 1)
        if pair.score >= ENOUGH:
            judged.append(pair)
    return judged


def _in_parts(leaving: Sequence[Moved], arriving: Sequence[Moved]) -> Iterator[Candidate]:
    """One sending that arrived in several parts one after the other: they sum to what left."""
    by_account: dict[str, list[Moved]] = defaultdict(list)
    for arrival in arriving:
        by_account[arrival.account].append(arrival)
    times = {account: [row.at for row in rows] for account, rows in by_account.items()}
    used: set[int] = set()
    for sending in leaving:
        for account, rows in by_account.items():
            if account == sending.account:
                continue
            first = bisect_left(times[account], sending.at - CLOCK)
            near = [
                row for row in rows[first : first + NEIGHBOURS] if row.at <= sending.at + timedelta(days=1)
            ]
            parts = _sum_of(sending, [row for row in near if row.pk not in used])
            if parts:
                used |= {row.pk for row in parts}
                yield from _split(sending, parts)
                break


def _sum_of(sending: Moved, near: Sequence[Moved]) -> Sequence[Moved]:
    for begin in range(len(near)):
        total = Decimal(0)
        for end in range(begin, min(begin + MOST_PARTS, len(near))):
            total += near[end].amount
            if end > begin and _amount(sending, total):
                return near[begin : end + 1]
    return ()


def _split(sending: Moved, parts: Sequence[Moved]) -> Iterator[Candidate]:
    for part in parts:
        reasons = [(40, f"{len(parts)} arrivals together are what left"), _speed(part.at - sending.at)]
        yield _candidate(sending, part, reasons, is_split=True)


def _hash(row: Moved) -> str:
    return row.network_id.lower().removeprefix("0x")


def _words(kind: str) -> str:
    return kind.replace("_", " ")
