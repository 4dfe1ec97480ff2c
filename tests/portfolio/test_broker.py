"""The queue in a folder survives whatever a killed process leaves in it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection
from kombu.simple import SimpleQueue

from portfolio.broker import Transport, tidy


@pytest.fixture
def queue(tmp_path: Path) -> Any:
    """A queue in an empty folder."""
    return open_queue(tmp_path)


def open_queue(folder: Path) -> SimpleQueue:
    """As another process would open it, one that knows of no binding yet."""
    Transport.global_state.clear()
    (folder / "queue").mkdir(exist_ok=True)
    where = {name: str(folder / "queue") for name in ("data_folder_in", "data_folder_out")}
    options = {**where, "control_folder": str(folder / "control"), "store_processed": False}
    return Connection("memory://", transport=Transport, transport_options=options).SimpleQueue("jobs")


def taken(queue: SimpleQueue) -> Any:
    """The next message."""
    message = queue.get(block=False)
    message.ack()
    return message.payload


def test_what_is_sent_arrives_once_and_in_order(queue: SimpleQueue) -> None:
    for number in range(5):
        queue.put({"number": number})

    assert [taken(queue)["number"] for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(queue.Empty):
        queue.get(block=False)


@pytest.mark.parametrize("left", ["", '{"body": "W1sxXSwge', "\0\0\0"])
def test_half_a_message_is_dropped_and_the_next_one_read(
    queue: SimpleQueue, tmp_path: Path, left: str
) -> None:
    (tmp_path / "queue" / "00_torn.jobs.msg").write_text(left)
    queue.put({"number": 1})

    assert taken(queue) == {"number": 1}


def test_bindings_of_which_half_was_written_are_written_anew(tmp_path: Path) -> None:
    open_queue(tmp_path).put({"number": 1})
    (tmp_path / "control" / "jobs.exchange").write_text("[[")

    again = open_queue(tmp_path)
    again.put({"number": 2})

    assert [taken(again)["number"] for _ in range(2)] == [1, 2]


def test_nothing_is_readable_before_it_is_whole(
    queue: SimpleQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        queue.put({"number": 1})

    assert not list((tmp_path / "queue").glob("[!.]*"))


def test_what_killed_processes_left_is_cleared_away_in_time(tmp_path: Path) -> None:
    for name in (".old.jobs.msg", ".new.jobs.msg", "waiting.jobs.msg"):
        (tmp_path / name).touch()
    later = time.time() + 3600

    tidy(tmp_path)
    assert len(os.listdir(tmp_path)) == 3
    tidy(tmp_path, now=later)

    assert os.listdir(tmp_path) == ["waiting.jobs.msg"]
