"""One key never asks faster than its exchange allows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.pace import Window
from tests.exchanges.clocks import VirtualClock


@given(st.lists(st.floats(0, 0.5), min_size=6, max_size=40))
def test_no_second_ever_holds_more_than_five_calls(gaps: list[float]) -> None:
    clock = VirtualClock()
    pace, calls = Window(5, 1.0, clock), []
    for gap in gaps:
        clock.advance(gap)
        pace.wait()
        calls.append(clock.monotonic())
    assert all(later - earlier > 1.0 for earlier, later in zip(calls, calls[5:], strict=False))


def test_few_calls_do_not_wait() -> None:
    clock = VirtualClock()
    pace = Window(5, 1.0, clock)
    assert [pace.wait() for _ in range(5)] == [0.0] * 5
    assert clock.slept == []


def test_what_others_called_counts() -> None:
    clock = VirtualClock()
    others = Window(5, 1.0, clock)
    for _ in range(5):
        others.wait()
    clock.advance(0.3)
    pace = Window(5, 1.0, clock, ages=others.ages())

    assert pace.wait() == pytest.approx(0.8)


def test_nobody_calls_while_the_exchange_wants_a_pause() -> None:
    clock = VirtualClock()
    pace = Window(5, 1.0, clock, quiet=3)

    assert pace.wait() == 3
    pace.told(7)
    assert pace.wait() == 7
