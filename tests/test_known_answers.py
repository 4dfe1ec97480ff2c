"""Every answer that was published is asked for."""

from __future__ import annotations

from pathlib import Path

from tests.known_answers import all_names


def test_every_published_answer_is_compared_with_ours() -> None:
    tests = Path(__file__).parent.rglob("test_known_answers.py")
    asked = "".join(path.read_text() for path in tests)

    assert [name for name in all_names() if f'"{name}"' not in asked] == []
