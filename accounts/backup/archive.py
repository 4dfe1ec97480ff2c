"""The file of a backup: a zip with the data and a manifest that tells what it is and how each part must read.

Knows no database.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

FORMAT = 1
MANIFEST = "manifest.json"
CHUNK = 1 << 20


class BackupError(Exception):
    """A backup cannot be made or restored; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds."""

    format: int
    vendor: str
    made_at: str
    migrations: tuple[tuple[str, str], ...]
    vault_key_ids: tuple[str, ...]
    digests: dict[str, str]


class Writer:
    """Writes the parts of a new backup and remembers their digests."""

    def __init__(self, handle: IO[bytes]) -> None:
        """`handle`: the open, still empty file."""
        self.zip = zipfile.ZipFile(handle, "w", zipfile.ZIP_DEFLATED, compresslevel=5)
        self.digests: dict[str, str] = {}

    def add(self, name: str, chunks: Iterable[bytes | memoryview]) -> None:
        """One part, streamed."""
        digest = hashlib.sha256()
        with self.zip.open(name, "w", force_zip64=True) as part:
            for chunk in chunks:
                digest.update(chunk)
                part.write(chunk)
        self.digests[name] = digest.hexdigest()

    def finish(self, **facts: Any) -> None:
        """The manifest, last: a file without one is no backup."""
        manifest = Manifest(format=FORMAT, digests=self.digests, **facts)
        self.zip.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))
        self.zip.close()


class Reader:
    """An existing backup, checked part by part before anything is written."""

    def __init__(self, path: Path) -> None:
        """Raises BackupError for what is no whole backup."""
        try:
            self.zip = zipfile.ZipFile(path)
            told = json.loads(self.zip.read(MANIFEST))
            told["migrations"] = tuple((app, name) for app, name in told["migrations"])
            told["vault_key_ids"] = tuple(told["vault_key_ids"])
            self.manifest = Manifest(**told)
        except FileNotFoundError as error:
            raise BackupError(f"There is no file {path}.") from error
        except OSError as error:
            raise BackupError(f"{path} cannot be read ({error.strerror}).") from error
        except (zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
            raise BackupError(f"{path} is no backup of Holdfast, or it is cut off.") from error
        if self.manifest.format != FORMAT:
            raise BackupError("This backup was made by a newer version of Holdfast. Install that one first.")

    def verify(self) -> None:
        """Read everything once; raises BackupError where a part differs from its digest."""
        for name, wanted in self.manifest.digests.items():
            digest = hashlib.sha256()
            try:
                for chunk in self.chunks(name):
                    digest.update(chunk)
            except (zipfile.BadZipFile, zlib.error, KeyError, OSError, EOFError) as error:
                raise BackupError(
                    f"The backup is damaged: {name} cannot be read. Take another one."
                ) from error
            if digest.hexdigest() != wanted:
                raise BackupError(f"The backup is damaged: {name} is not what was written. Take another one.")

    def chunks(self, name: str) -> Iterator[bytes]:
        """One part, streamed."""
        with self.zip.open(name) as part:
            while chunk := part.read(CHUNK):
                yield chunk


def file_chunks(path: Path) -> Iterator[bytes]:
    """A file, streamed."""
    with path.open("rb") as handle:
        while chunk := handle.read(CHUNK):
            yield chunk


def digest_of(path: Path) -> str:
    """SHA-256 of a whole file."""
    digest = hashlib.sha256()
    for chunk in file_chunks(path):
        digest.update(chunk)
    return digest.hexdigest()


def create_private(path: Path) -> IO[bytes]:
    """A new file that only its owner can read; raises BackupError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")
    except FileExistsError as error:
        raise BackupError(f"{path} exists already. Choose another name.") from error
    except OSError as error:
        raise BackupError(f"{path} cannot be written ({error.strerror}). Choose another place.") from error
