"""One key never asks faster than its exchange allows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exchanges.pace import Paces, Unpaced, Window
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


def test_a_key_keeps_its_pace_and_the_longest_unused_is_forgotten() -> None:
    paces = Paces(Unpaced, keep=2)
    first, second = paces.of("a"), paces.of("b")
    assert paces.of("a") is first
    paces.of("c")
    assert paces.of("a") is first
    assert paces.of("b") is not second
