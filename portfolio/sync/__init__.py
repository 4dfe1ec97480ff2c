"""Where an exchange meets the store: the only place that opens a key, asks, keeps what was said and posts it."""

from exchanges.connect import Allowed, allowed
from portfolio.sync.again import Again, read_again
from portfolio.sync.checks import check
from portfolio.sync.keypace import Busy
from portfolio.sync.keys import InputRefused, add_connection, check_key, remove, replace_key
from portfolio.sync.result import StreamResult, SyncResult
from portfolio.sync.turn import run
from portfolio.sync.wishes import is_stale, read_hole_again, release, walk_stream_again

__all__ = [
    "Again",
    "Allowed",
    "Busy",
    "InputRefused",
    "StreamResult",
    "SyncResult",
    "add_connection",
    "allowed",
    "check",
    "check_key",
    "is_stale",
    "read_again",
    "read_hole_again",
    "release",
    "remove",
    "replace_key",
    "run",
    "walk_stream_again",
]
