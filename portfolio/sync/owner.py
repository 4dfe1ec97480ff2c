"""Who holds a connection: a process, named so that others on its machine see at once when it was killed.

Machines that cannot see each other's processes wait for the lease to run out instead.
"""

from __future__ import annotations

import hashlib
import os
import socket
import uuid
from functools import cache
from pathlib import Path


def new() -> str:
    """The name under which one run of this process holds a connection."""
    return f"{socket.gethostname()[:20]}:{_place()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def is_gone(owner: str) -> bool:
    """Whether the holder was a process of this machine that lives no more; False where that cannot be told."""
    parts = owner.rsplit(":", 3)
    if len(parts) != 4 or parts[1] != _place() or not parts[2].isdecimal():
        return False
    try:
        os.kill(int(parts[2]), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


@cache
def _place() -> str:
    """Where process numbers mean the same: this start of this machine, and this container on it."""
    parts = [socket.gethostname()]
    for read in (_boot, _namespace):
        try:
            parts.append(read())
        except OSError:
            parts.append("")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:10]


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text()


def _namespace() -> str:
    return os.readlink("/proc/self/ns/pid")
