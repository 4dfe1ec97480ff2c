"""The queue of an installation without a broker server: a folder of messages that no kill leaves half-written.

Kombu's own folder writes in place, so that whoever reads at that moment, or after a kill in between, stumbles over
half a message and the worker ends. Here whatever appears under its name is whole, and what cannot be read is
dropped: the queue is disposable.
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.json import dumps, loads

FORGOTTEN = 60.0
"""Seconds after which a draft or a message half taken belongs to nobody who is alive."""

log = logging.getLogger(__name__)


class Channel(filesystem.Channel):
    """Messages and bindings, each written beside its place and then renamed."""

    def get_table(self, exchange: str) -> list[Any]:
        """Which queues are bound; none where the file is not readable, so that it is written anew."""
        try:
            table: list[Any] = super().get_table(exchange)
        except ValueError:
            log.warning("The bindings of %s could not be read and are written anew.", exchange or "the queue")
            return []
        return table

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        bound = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        file = self._exchange_file(exchange)
        self.control_folder.mkdir(exist_ok=True)
        with _alone(self.control_folder / ".lock"):
            table = self.get_table(exchange)
            if bound not in table:
                _write(file, [bound, *table])

    def _put(self, queue: str, payload: object, **_: Any) -> None:
        name = f"{time.time_ns():020}_{uuid.uuid4().hex}.{queue}.msg"
        _write(Path(self.data_folder_out) / name, payload)

    def _get(self, queue: str) -> Any:
        for name in sorted(os.listdir(self.data_folder_in)):
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            taken = self._take(Path(self.data_folder_in) / name)
            if taken is None:
                continue
            try:
                return loads(taken)
            except ValueError:
                log.warning("A message that could not be read was dropped.")
        raise Empty

    def _take(self, file: Path) -> bytes | None:
        """The message, which is ours alone from the renaming on; None where another worker was faster."""
        mine = file.with_name(f".{file.name}")
        try:
            file.rename(mine)
            content = mine.read_bytes()
            mine.unlink()
        except OSError:
            return None
        return content


class Transport(filesystem.Transport):
    """Named in the settings of Celery."""

    Channel = Channel


def tidy(folder: Path, now: float | None = None) -> None:
    """Remove what killed processes left behind."""
    now = time.time() if now is None else now
    for file in folder.glob(".*.msg"):
        with suppress(OSError):
            if now - file.stat().st_ctime > FORGOTTEN:
                file.unlink()


def _write(file: Path, content: object) -> None:
    draft = file.with_name(f".{uuid.uuid4().hex}.{file.name}")
    try:
        draft.write_text(dumps(content))
        draft.rename(file)
    except OSError as error:
        raise ChannelError(f"Cannot write {file.name} to the queue: {error.strerror}") from error


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
