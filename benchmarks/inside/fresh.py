"""Fresh databases for a measurement: made for it, dropped after it. Knows nothing of what is measured."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SERVER = os.environ.get("BENCH_POSTGRES", "postgres://postgres@127.0.0.1:5432")
BOTH = ("sqlite", "postgresql")
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was made is dropped


def measure(name: str, arguments: Sequence[str], on: Sequence[str] = BOTH, **env: str) -> int:
    """Run the measurement on each database; the worst exit code."""
    codes = [0]
    for database in on:
        with installation(database) as own:
            if own is None:
                print(
                    f"{database}: skipped, no server at {SERVER} (BENCH_POSTGRES names another)", flush=True
                )
                continue
            print(f"{database}:", flush=True)
            line = [sys.executable, "-m", "benchmarks.inside", name, *arguments]
            codes.append(subprocess.run(line, cwd=ROOT, env=own | env, check=False).returncode)
    return max(codes)


def told(name: str, arguments: Sequence[str], database: str) -> str:
    """What the measurement printed, on one database."""
    with installation(database) as own:
        if own is None:
            raise SystemExit(f"No server at {SERVER}.")
        line = [sys.executable, "-m", "benchmarks.inside", name, *arguments]
        return subprocess.run(line, cwd=ROOT, env=own, check=True, stdout=subprocess.PIPE, text=True).stdout


@contextmanager
def installation(database: str) -> Iterator[dict[str, str] | None]:
    """The environment of an empty installation; None where there is no server for it."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        env = {**kept, "DATA_DIR": folder, "LOG_LEVEL": "ERROR", "ECB_URL": ""}
        if database == "sqlite":
            yield env
            return
        name = f"holdfast_bench_{uuid.uuid4().hex[:8]}"
        if not _psql(f"CREATE DATABASE {name}"):
            yield None
            return
        try:
            yield env | {"DATABASE_URL": f"{SERVER}/{name}"}
        finally:
            _psql(f"DROP DATABASE {name} WITH (FORCE)")


def _psql(statement: str) -> bool:
    line = ["psql", f"{SERVER.replace('postgres://', 'postgresql://')}/postgres", "-qc", statement]
    try:
        return subprocess.run(line, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
