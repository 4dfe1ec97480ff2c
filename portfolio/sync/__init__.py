"""Where an exchange meets the store: the only place that opens a key, asks, keeps what was said and posts it."""

from portfolio.sync.checks import Busy, check
from portfolio.sync.keys import InputRefused, add_connection, check_key, remove, replace_key
from portfolio.sync.result import StreamResult, SyncResult
from portfolio.sync.turn import run

__all__ = [
    "Busy",
    "InputRefused",
    "StreamResult",
    "SyncResult",
    "add_connection",
    "check",
    "check_key",
    "remove",
    "replace_key",
    "run",
]
