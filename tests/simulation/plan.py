"""What one seed decides before anything happens: the exchange, its manners, and how often which trouble comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from random import Random
from typing import Any

from exchanges.sandbox.faults import Fault

EXCHANGES = ("btse", "tether", "tokens_net")


class Profile(StrEnum):
    """How far the exchange can be believed."""

    HONEST = "honest"
    """Rows come never later than the promised overlap: incremental reads alone must find them all."""
    LYING = "lying"
    """Stale, empty and late without bound: one walk over everything must find them all."""


class Trouble(StrEnum):
    """What can happen beside the faults of the wire."""

    GROW = "something happens in the account while it is read"
    SPOIL = "a row that cannot be read"
    CRASH_AT_CALL = "the process dies at a call"
    CRASH_AT_SQL = "the process dies at a statement"
    BUSY = "the database refuses some statements in a row"
    FREEZE = "the worker freezes until another one has taken over"
    RESTART = "the database is gone until the work of the moment is over"
    OUTAGE = "the exchange's host answers nobody for a while"
    LOST = "the broker forgets a message"
    FLUSH = "the broker forgets all messages"
    TWICE = "a message comes twice"
    SWAP = "the tokens of two connections are exchanged in the database"
    REMOVE = "the key is removed while it is used"
    LATE = "a row is listed only some time after it counts"
    BACKDATED = "a row is entered with a date in the past"
    CLOCK_JUMP = "our clock jumps"
    CONGESTION = "answers take long"


CAPS: dict[Fault | Trouble, float] = {
    Fault.RESET_BEFORE: 0.15,
    Fault.RESET_AFTER: 0.15,
    Fault.RATE_LIMITED: 0.1,
    Fault.RATE_LIMITED_SECONDS: 0.15,
    Fault.SERVER_ERROR: 0.15,
    Fault.MAINTENANCE: 0.1,
    Fault.HTML: 0.15,
    Fault.CUT_BODY: 0.15,
    Fault.NAN: 0.05,
    Fault.DUPLICATE_KEYS: 0.05,
    Fault.REDIRECT: 0.05,
    Fault.DUPLICATE_ROWS: 0.3,
    Fault.REORDERED_ROWS: 0.3,
    Fault.STALE: 0.2,
    Fault.LATE_ROWS: 0.2,
    Fault.EMPTY_PAGE: 0.15,
    Fault.WRONG_CLOCK: 0.03,
    Trouble.GROW: 0.15,
    Trouble.SPOIL: 0.1,
    Trouble.CRASH_AT_CALL: 0.06,
    Trouble.CRASH_AT_SQL: 0.01,
    Trouble.BUSY: 0.005,
    Trouble.FREEZE: 0.05,
    Trouble.LOST: 0.4,
    Trouble.TWICE: 0.4,
    Trouble.SWAP: 0.2,
    Trouble.REMOVE: 0.02,
    Trouble.LATE: 0.5,
    Trouble.BACKDATED: 0.3,
    Trouble.CLOCK_JUMP: 0.2,
    Trouble.CONGESTION: 0.1,
    Trouble.RESTART: 0.001,
    Trouble.OUTAGE: 0.01,
    Trouble.FLUSH: 0.3,
}
"""A class that is on comes with a chance from nothing up to this, drawn per seed."""

LIES = frozenset({Fault.EMPTY_PAGE, Trouble.SPOIL})
"""What no honest exchange does."""
LIES_OF_PAGES = frozenset({Fault.STALE, Fault.LATE_ROWS})
"""Where pages are counted from the newest row, an older view of one page hides rows however old they are."""
OFF, OFF_IN_STORMS = 2 / 3, 1 / 3
"""The chance of each class to be off; one seed in four is a storm, in which twice as many are on."""
OPENED = timedelta(weeks=12)
"""In most seeds BTSE opened that long ago, before any life here begins; in one of six it did in 2018, as in truth, and
walks over everything go through years without a row."""

POINTED = 100_000
"""From this seed on a history is pointed at one weak spot, which the others meet once in thousands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The course of one seed, as far as it is known beforehand."""

    seed: int
    exchange: str
    profile: Profile
    ticks: int
    past: int
    """How many rows there are before the first sync."""
    rates: Mapping[Fault | Trouble, float]
    skew: float
    """Our clock minus the exchange's, in seconds."""
    switches: Mapping[str, Any]
    behind: timedelta
    """How far stale answers and late rows lag."""
    visible: timedelta
    """How long after it counts a late row is listed, at most."""
    worth: bool
    """Whether figures are told too; they take a third of the time, and one seed of three does."""
    old: bool
    """Whether BTSE opened as long ago as in truth."""
    days: int = 30
    """How long the past is."""

    def rate(self, what: Fault | Trouble) -> float:
        """How often it comes, from 0 to 1."""
        return self.rates.get(what, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A weak spot: what a history must have so that it is met; the rest is left to chance as ever."""

    exchange: str
    profile: Profile
    rates: Mapping[Fault | Trouble, float]
    """These come at least half as often as this."""
    switches: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    past: tuple[int, ...] = (20, 30)
    days: tuple[int, ...] = (30,)
    ticks: tuple[int, ...] = (2, 4, 6)


POINTS = (
    # More rows in a window than an answer may have, after answers in which rows came twice.
    Point(
        exchange="btse",
        profile=Profile.HONEST,
        rates={Fault.DUPLICATE_ROWS: 0.4},
        switches={"cap": (10, 12, 15)},
        past=(30, 40),
        days=(2, 4, 8),
    ),
    # The oldest rows stand on a page that is asked for once in a life, and then the answer is nonsense.
    Point(
        exchange="tether",
        profile=Profile.HONEST,
        rates={Fault.CUT_BODY: 0.3, Fault.NAN: 0.2, Fault.DUPLICATE_KEYS: 0.2},
        switches={"first_page": (0,), "order": ("asc",), "page_size": (3, 5), "recent": (None, 7)},
        ticks=(6, 8),
    ),
    # Walks over everything take several turns, and proofs fail meanwhile.
    Point(
        exchange="btse",
        profile=Profile.LYING,
        rates={Fault.EMPTY_PAGE: 0.3, Trouble.CONGESTION: 0.3, Trouble.LATE: 0.5},
        ticks=(10, 14),
    ),
)


def plan(seed: int) -> Plan:
    """All that follows from the seed alone."""
    if seed < POINTED:
        return _plan(seed, EXCHANGES[seed % len(EXCHANGES)], _profile(seed))
    point, dice = POINTS[seed % len(POINTS)], Random(f"point {seed}")
    course = _plan(seed, point.exchange, point.profile)
    sure = {what: dice.uniform(rate / 2, rate) for what, rate in point.rates.items()}
    return replace(
        course,
        rates={**course.rates, **sure},
        switches={**course.switches, **{name: dice.choice(one) for name, one in point.switches.items()}},
        past=dice.choice(point.past),
        days=dice.choice(point.days),
        ticks=dice.choice(point.ticks),
    )


def trial(number: int) -> int:
    """The seed on which a planted bug is tried as the `number`-th: every second one is pointed."""
    return number // 2 + (POINTED if number % 2 else 0)


def _profile(seed: int) -> Profile:
    return Profile.LYING if seed // len(EXCHANGES) % 3 == 2 else Profile.HONEST


def _plan(seed: int, exchange: str, profile: Profile) -> Plan:
    dice = Random(f"plan {seed}")
    rates = _rates(seed)
    if profile is Profile.HONEST:
        lies = LIES if exchange == "btse" else LIES | LIES_OF_PAGES
        rates = {what: rate for what, rate in rates.items() if what not in lies}
    lying = profile is Profile.LYING
    return Plan(
        seed=seed,
        exchange=exchange,
        profile=profile,
        ticks=dice.randint(2, 6),
        past=dice.choice((0, 1, 3, 8, 20, 30)),
        rates=rates,
        skew=dice.choice((0.0, 0.0, dice.uniform(-7200, 7200))) if exchange != "tether" else _slight(dice),
        switches=_switches(dice, exchange),
        behind=timedelta(hours=dice.uniform(0.1, 240 if lying else 20)),
        visible=timedelta(hours=dice.uniform(0.1, 480 if lying else 36)),
        worth=dice.random() < 1 / 3,
        old=dice.random() < 1 / 6,
    )


def _rates(seed: int) -> dict[Fault | Trouble, float]:
    """Each class has dice of its own, so that a new class leaves the others as they were."""
    off = Random(f"off {seed}").choice((OFF, OFF, OFF, OFF_IN_STORMS))
    dice = {what: Random(f"rate {seed} {what}") for what in CAPS}
    return {what: dice[what].uniform(0, cap) for what, cap in CAPS.items() if dice[what].random() > off}


def _slight(dice: Random) -> float:
    """Tether.to refuses a request whose Date is 15 minutes off."""
    return dice.choice((0.0, dice.uniform(-600, 600)))


def _switches(dice: Random, exchange: str) -> dict[str, Any]:
    """The manners in which the documents leave the exchange free."""
    if exchange == "btse":
        return {
            "pace": None,
            "cap": dice.choice((10, 12, 15, 500)),
            "windows": "clamp" if dice.random() < 0.1 else "honour",
            "nonce_drift": None,
            "numeric_status": dice.random() < 0.3,
        }
    if exchange == "tether":
        return {
            "page_size": dice.choice((2, 3, 5, 25)),
            "order": dice.choice(("desc", "desc", "asc")),
            "first_page": dice.choice((0, 1)),
            "past_end": dice.choice(("empty", "404", "last")),
            "recent": dice.choice((None, 7, 30)),
            "old_endpoints": dice.random() < 0.5,
        }
    return {
        "page_size": dice.choice((2, 4, 50)),
        "errors_with_200": dice.random() < 0.3,
        "lower_status": dice.random() < 0.3,
    }
