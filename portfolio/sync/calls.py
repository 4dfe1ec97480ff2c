"""What a run asked, in a few lines: how the calls of each path ended, and the last of them. Pure; bounded in size.

A path is kept without the ids in it. There never was a query, a header or a text of an answer to be kept.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from datetime import datetime
from typing import Any

from exchanges.transport import CallRecord

LAST = 12
PATHS = 40
OTHERS = "other paths"
_VERSION = re.compile(r"v[0-9.]{1,6}")


def general(path: str) -> str:
    """The path with an ellipsis in place of what differs from call to call: numbers and ids."""
    return "/".join(_part(part) for part in path[:300].split("/"))


def _part(part: str) -> str:
    stem, dot, ending = part.partition(".")
    if _VERSION.fullmatch(part) or not any(sign.isdigit() for sign in stem):
        return part
    return f"…{dot}{ending}" if ending.isalpha() else "…"


class CallLog:
    """Grows call by call; always small."""

    def __init__(self) -> None:
        """Nothing was asked yet."""
        self._ended: dict[str, Counter[str]] = {}
        self._last: deque[dict[str, Any]] = deque(maxlen=LAST)

    def add(self, call: CallRecord, at: datetime) -> None:
        """Take in one try."""
        path = general(call.path)
        known = path if path in self._ended or len(self._ended) < PATHS else OTHERS
        self._ended.setdefault(known, Counter())[call.outcome] += 1
        self._last.append(
            {
                "at": at.isoformat(timespec="milliseconds"),
                "path": path,
                "outcome": call.outcome,
                "status": call.status,
                "ms": round(call.seconds * 1000),
                "waited_ms": round(call.waited * 1000),
                "attempt": call.attempt,
                "size": call.size,
                "shape": call.shape[:300],
            }
        )

    def told(self) -> dict[str, Any]:
        """As a run keeps it: the paths by name, the last calls newest first."""
        paths = {path: dict(self._ended[path]) for path in sorted(self._ended)}
        return {"paths": paths, "last": list(reversed(self._last))}
