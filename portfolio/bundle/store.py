"""Makes bundles in a worker and keeps them in pieces in the database until they are handed out or have grown old."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from io import RawIOBase
from typing import IO, Any, cast

from django.db.models import Q

from accounts.models import User
from portfolio.bundle.write import PIECE, write
from portfolio.models import BundlePiece, GainsBundle
from portfolio.models.chunks import delete

STALE = timedelta(minutes=30)
"""After how long one that was never finished is begun again."""
KEPT = timedelta(days=7)
"""After how long a bundle is dropped."""


def want(user: User, now: datetime) -> None:
    """Ask for a bundle; one that is there stays until the new one is."""
    GainsBundle.objects.update_or_create(user=user, defaults={"wanted_at": now, "error": ""})


def waiting(now: datetime) -> list[int]:
    """The users whose bundle is to be made and that no living worker has."""
    return list(GainsBundle.objects.wanted().filter(_free(now)).values_list("user", flat=True))


def make(user: User, now: datetime) -> None:
    """Make the bundle that is wanted; nothing where none is, or another worker is at it."""
    mine = GainsBundle.objects.for_user(user)
    if not mine.filter(_free(now), wanted_at__isnull=False).update(started_at=now):
        return
    bundle = mine.get()
    # A worker that was killed left pieces of an edition that never became the whole.
    last = bundle.pieces.order_by("-edition").values_list("edition", flat=True).first() or 0
    pieces = _Pieces(bundle, last + 1)
    try:
        write(user, now, cast(IO[bytes], pieces))
        pieces.flush_rest()
    except Exception as error:
        told = f"{type(error).__name__} while making it."
        mine.update(started_at=None, wanted_at=None, error=told)
        raise
    mine.update(started_at=None, wanted_at=None, made_at=now, edition=last + 1, size=pieces.size, error="")
    _drop(bundle, keep=last + 1)


def pieces(bundle: GainsBundle) -> Iterator[bytes]:
    """The bundle's bytes, a piece at a time."""
    rows = BundlePiece.objects.filter(bundle=bundle, edition=bundle.edition)
    for number in list(rows.order_by("number").values_list("number", flat=True)):
        yield bytes(rows.get(number=number).body)


def drop_old(now: datetime) -> None:
    """Forget bundles that nobody will come for."""
    for bundle in GainsBundle.objects.filter(made_at__lt=now - KEPT, wanted_at__isnull=True):
        _drop(bundle, keep=0)
        bundle.delete()


def _free(now: datetime) -> Q:
    return Q(started_at__isnull=True) | Q(started_at__lt=now - STALE)


def _drop(bundle: GainsBundle, keep: int) -> None:
    rows = bundle.pieces.exclude(edition=keep)
    delete(rows, list(rows.values_list("pk", flat=True)))


class _Pieces(RawIOBase):
    """A file to write to whose bytes become rows."""

    def __init__(self, bundle: GainsBundle, edition: int) -> None:
        super().__init__()
        self.size = 0
        self._bundle = bundle
        self._edition = edition
        self._number = 0
        self._waiting = bytearray()

    def writable(self) -> bool:
        """It is there to be written to."""
        return True

    def write(self, data: Any) -> int:
        """Take some bytes; whole pieces become rows."""
        self._waiting += data
        while len(self._waiting) >= PIECE:
            self._store(PIECE)
        return len(data)

    def flush_rest(self) -> None:
        """Keep what is left too."""
        if self._waiting:
            self._store(len(self._waiting))

    def _store(self, count: int) -> None:
        body = bytes(self._waiting[:count])
        del self._waiting[:count]
        BundlePiece.objects.create(bundle=self._bundle, edition=self._edition, number=self._number, body=body)
        self._number += 1
        self.size += count
