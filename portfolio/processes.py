"""Which processes an installation consists of, as command lines: the same for one machine and for many."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from django.conf import settings

THREADS = 8


def processes(*, bind: str, port: int) -> dict[str, str]:
    """Name -> command line. Without a broker of its own the worker carries beat; with one beat stands apart."""
    bin_dir = Path(sys.executable).parent
    web = [
        bin_dir / "granian",
        "--interface",
        "wsgi",
        "portfolio.wsgi:application",
        *("--host", bind, "--port", str(port)),
        *("--workers", "1", "--blocking-threads", "4", "--no-ws", "--log-level", "warning"),
    ]
    celery = [bin_dir / "celery", "--app", "portfolio.celery", "--quiet"]
    worker = [*celery, "worker", "--pool", "threads", "--concurrency", str(THREADS), "--loglevel", "WARNING"]
    worker += ["--without-gossip", "--without-mingle"]
    lines: dict[str, list[object]] = {"web": [*web]}
    if settings.BROKER_URL.startswith("filesystem"):
        lines["worker"] = [*worker, "--beat"]
    else:
        lines["worker"] = [*worker]
        lines["beat"] = [*celery, "beat", "--loglevel", "WARNING"]
    return {name: shlex.join(str(part) for part in line) for name, line in lines.items()}
