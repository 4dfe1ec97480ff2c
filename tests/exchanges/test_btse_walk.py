"""Nothing is lost on the way back to an account's beginning, whatever BTSE turns out to do with windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
import simplejson
from hypothesis import given, settings
from hypothesis import strategies as st

from exchanges.btse.walk import Walk
from exchanges.btse.windows import BEGIN, COUNT, DAY, OVERLAP, QUIET, WEEK, Ask, Server

NOW = BEGIN + 8 * 365 * DAY


@dataclass(kw_only=True)
class Exchange:
    """A server that answers windows in one of the ways nobody has documented."""

    rows: list[int]
    clamp: int | None = None
    cap: int = COUNT
    newest_first: bool = True
    keeps_newest: bool = True
    ends_belong: bool = True
    moves_end: bool = False
    refuses_long: bool = False
    asked: int = 0
    widest: int = field(default=0)

    def answer(self, ask: Ask) -> list[int] | None:
        self.asked += 1
        start, end = ask.start, ask.end
        if end - start > WEEK and self.refuses_long:
            return None
        if self.clamp is not None and self.moves_end:
            end = min(end, start + self.clamp)
        elif self.clamp is not None:
            start = max(start, end - self.clamp)
        rows = sorted(t for t in self.rows if start < t < end or (self.ends_belong and t in (start, end)))
        rows = rows[-self.cap :] if self.keeps_newest else rows[: self.cap]
        return rows[::-1] if self.newest_first else rows


def read(
    exchange: Exchange,
    now: int = NOW,
    stored: str = "null",
    open_times: Sequence[int] = (),
    *,
    full: bool = False,
    die_after: int = 100_000,
) -> tuple[set[int], str]:
    """Walk to the end (or until killed), keeping the cursor as text after every answer."""
    cursor, found = simplejson.loads(stored) or {}, set()
    server = Server.load(cursor.get("server"))
    walk = Walk.load(cursor.get("walk"), server)
    walk.plan(now, open_times, full=full)
    for _ in range(die_after):
        ask = walk.next()
        if ask is None:
            break
        rows = exchange.answer(ask)
        if rows is None:
            assert walk.refused(ask)
            continue
        found |= set(rows)
        walk.take(ask, rows, len(rows))
        if walk.is_tied(ask):
            walk.skip(ask)
        stored = simplejson.dumps({"server": server.dump(), "walk": walk.dump()})
    else:
        assert die_after < 100_000, "a walk must come to an end"
    return found, stored


gaps = st.one_of(
    st.integers(0, 3), st.integers(0, DAY), st.integers(0, 3 * WEEK), st.integers(0, QUIET - 2 * WEEK)
)
histories = st.lists(gaps, max_size=120).map(
    lambda steps: [t for i in range(len(steps)) if (t := NOW - sum(steps[: i + 1])) > BEGIN]
)
servers = st.builds(
    Exchange,
    rows=histories,
    clamp=st.one_of(st.none(), st.integers(WEEK, 20 * WEEK)),
    cap=st.sampled_from([10, 25, 50, 500]),
    newest_first=st.booleans(),
    ends_belong=st.booleans(),
    refuses_long=st.booleans(),
)


def crowded(exchange: Exchange) -> bool:
    """Whether three neighbouring milliseconds hold more rows than an answer can."""
    rows = exchange.rows
    return any(sum(t - 1 <= other <= t + 1 for other in rows) >= exchange.cap for t in set(rows))


@settings(deadline=None, max_examples=150)
@given(servers)
def test_every_row_is_found_however_windows_are_answered(exchange: Exchange) -> None:
    if crowded(exchange):
        return
    found, _ = read(exchange)
    assert found == {t for t in exchange.rows if t < NOW or exchange.ends_belong or t == NOW}


@settings(deadline=None, max_examples=60)
@given(histories, st.booleans())
def test_a_server_that_cuts_off_the_newest_rows_loses_none_either(rows: list[int], ends_belong: bool) -> None:
    exchange = Exchange(rows=rows, cap=25, keeps_newest=False, ends_belong=ends_belong)
    if not crowded(exchange):
        assert read(exchange)[0] == set(rows)


@settings(deadline=None, max_examples=60)
@given(servers, st.lists(st.integers(1, 6), max_size=6), st.lists(st.integers(0, 40 * DAY), max_size=6))
def test_a_walk_that_is_killed_goes_on_while_new_rows_come(
    exchange: Exchange, deaths: list[int], later: list[int]
) -> None:
    if crowded(exchange):
        return
    found, stored, now = set(), "null", NOW
    for die_after, passed in zip(deaths, later, strict=False):
        more, stored = read(exchange, now, stored, die_after=die_after)
        found |= more
        now += passed
        exchange.rows = [*exchange.rows, now - passed // 2]
    found |= read(exchange, now, stored)[0]
    assert found == set(exchange.rows)


@settings(deadline=None, max_examples=60)
@given(servers, st.integers(0, 60 * DAY))
def test_a_second_read_finds_what_came_late_within_three_days(exchange: Exchange, passed: int) -> None:
    if crowded(exchange):
        return
    _, stored = read(exchange)
    fresh = [NOW - OVERLAP + 2, NOW + passed // 3, NOW + passed]
    exchange.rows += fresh
    assert set(fresh) <= read(exchange, NOW + passed, stored)[0]


def test_a_server_that_moves_the_end_of_a_long_window_is_found_out() -> None:
    exchange = Exchange(rows=[NOW - n * 9 * DAY for n in range(1, 100)], clamp=WEEK, moves_end=True)
    assert read(exchange)[0] == set(exchange.rows)


@pytest.mark.parametrize("keeps_newest", [True, False])
@pytest.mark.parametrize("ends_belong", [True, False])
def test_a_crowded_month_is_read_whole_from_either_end(keeps_newest: bool, ends_belong: bool) -> None:
    rows = [NOW - hour * 3_600_000 - tie for hour in range(1, 700) for tie in (0, 0, 0, 1, 1)]
    exchange = Exchange(rows=rows, cap=25, keeps_newest=keeps_newest, ends_belong=ends_belong)
    found, stored = read(exchange)
    assert found == set(rows)
    assert simplejson.loads(stored)["server"]["newest"] is keeps_newest


def test_more_rows_in_one_millisecond_than_an_answer_holds_are_reported_and_the_rest_is_read() -> None:
    server = Server()
    exchange = Exchange(
        rows=[*[NOW - DAY] * 30, *(NOW - DAY - n for n in range(1, 30)), NOW - 3 * DAY], cap=25
    )
    walk, tied, found = Walk(server=server), [], set()
    walk.plan(NOW)
    while (ask := walk.next()) is not None:
        rows = exchange.answer(ask) or []
        found |= set(rows)
        walk.take(ask, rows, len(rows))
        if walk.is_tied(ask):
            tied.append(ask.low)
            walk.skip(ask)
    assert (tied, found) == ([NOW - DAY], set(exchange.rows))


def test_an_open_row_far_back_is_read_again_without_all_that_lies_between() -> None:
    old, middle = NOW - 300 * DAY, NOW - 100 * DAY
    exchange = Exchange(rows=[old, middle, NOW - DAY], clamp=WEEK)
    _, stored = read(exchange)
    exchange.asked = 0
    found, _ = read(exchange, NOW + DAY, stored, [old])
    assert (found, exchange.asked) == ({old, NOW - DAY}, 2)


def test_long_windows_cost_few_questions_where_they_are_honoured() -> None:
    exchange = Exchange(rows=[NOW - n * DAY // 2 for n in range(2000)])
    read(exchange)
    assert exchange.asked < 20


def test_half_a_quiet_year_ends_the_walk_and_is_written_down_as_an_assumption() -> None:
    exchange = Exchange(rows=[NOW - DAY], clamp=WEEK)
    _, stored = read(exchange)
    assert exchange.asked < 32
    assert simplejson.loads(stored)["walk"]["assumed"] > BEGIN


def test_a_full_walk_goes_on_through_any_quiet() -> None:
    exchange = Exchange(rows=[BEGIN + DAY, NOW - DAY], clamp=WEEK)
    assert read(exchange)[0] == {NOW - DAY}
    assert read(exchange, full=True)[0] == {BEGIN + DAY, NOW - DAY}


def test_a_history_without_rows_is_not_believed_where_something_is_held() -> None:
    server, exchange = Server(), Exchange(rows=[BEGIN + DAY], clamp=WEEK)
    walk = Walk(server=server, held=True)
    walk.plan(NOW)
    found: set[int] = set()
    while (ask := walk.next()) is not None:
        rows = exchange.answer(ask) or []
        found |= set(rows)
        walk.take(ask, rows, len(rows))
    assert found == {BEGIN + DAY}


def test_rows_sent_twice_do_not_make_an_answer_seem_longer_than_answers_are() -> None:
    walk = Walk(server=Server())
    walk.plan(NOW)
    ask = walk.next()
    assert ask is not None
    walk.take(ask, [ask.high] * 24, 24, distinct=12)
    assert walk.server.limit == 12


def test_an_account_that_turns_out_to_be_older_is_read_down_to_its_beginning() -> None:
    walk = Walk(server=Server(), floor=NOW - 5 * DAY, quiet_ends=False)
    walk.plan(NOW - DAY)
    while (ask := walk.next()) is not None:
        walk.take(ask, [], 0)
    again = Walk.load(walk.dump(), Server(), floor=NOW - 20 * DAY, quiet_ends=False)
    again.plan(NOW)
    assert again.todo == [(NOW - 20 * DAY, NOW - 5 * DAY - 1), (NOW - 4 * DAY, NOW)]


def test_a_cursor_that_is_not_ours_is_forgotten() -> None:
    assert Server.load(["x"]) == Server()
    assert Walk.load({"top": "x"}, Server()) == Walk(server=Server())
