"""What a sync came to, as commands, tasks and pages tell it. Knows no exchange and no store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from portfolio.models import RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamResult:
    """How one stream went."""

    stream: str
    state: RunState
    pages: int = 0
    sent: int = 0
    new: int = 0
    changed: int = 0
    quarantined: int = 0
    error: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncResult:
    """How one run went; `touched_since` is the first day whose figures may have changed."""

    run_id: int
    state: RunState
    streams: tuple[StreamResult, ...] = ()
    touched_since: date | None = None
    requests: int = 0
    error: str = ""
    advice: str = ""
