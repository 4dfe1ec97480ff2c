"""`make chaos`: web, worker and beat as real processes, killed at random for a while; then the ledger must be true.

Prints what was survived and every violation; ends with 1 on any. Kills only processes that it started itself.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import django
from django.core.management import call_command

from tests.chaos.grounds import Embedded, Served

GROUNDS: dict[str, type[Embedded | Served]] = {"embedded": Embedded, "served": Served}


def main() -> int:
    """Both grounds one after the other, each in a process of its own, as settings are read once."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.chaos")
    parser.add_argument("--seconds", type=int, default=120, help="how long the storms last, on each ground")
    parser.add_argument("--on", choices=[*GROUNDS, "both"], default="both")
    parser.add_argument("--seed", default=str(random.SystemRandom().randrange(10**6)))
    parser.add_argument("--keep", action="store_true", help="keep the data folder and the logs")
    options = parser.parse_args()
    if options.on != "both":
        return on_ground(options.on, options.seconds, options.seed, keep=options.keep)
    rest = ["--seconds", str(options.seconds), "--seed", options.seed, *(["--keep"] if options.keep else [])]
    lines = [[sys.executable, "-m", "tests.chaos", "--on", name, *rest] for name in GROUNDS]
    return max([subprocess.run(line, check=False).returncode for line in lines])


def on_ground(name: str, seconds: int, seed: str, *, keep: bool) -> int:
    """Set up, storm, judge, clean up."""
    folder = Path(tempfile.mkdtemp(prefix="holdfast-chaos-"))
    data = folder / "data"
    data.mkdir()
    ground = GROUNDS[name](data, random.Random(f"{seed}-ground"))
    try:
        print(f"On {ground.name}, seed {seed}", flush=True)
        keep_only(ground.env | {"DATA_DIR": str(data)})
        django.setup()
        call_command("setup", verbosity=0)
        storm = __import__("tests.chaos.storm", fromlist=["Storm"])
        ok: bool = storm.Storm(ground, folder, seed).run(seconds)
        return 0 if ok else 1
    finally:
        ground.end()
        if keep:
            print(f"Kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def keep_only(env: dict[str, str]) -> None:
    """An environment with nothing in it that belongs to another installation on this machine."""
    own = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    os.environ.clear()
    os.environ.update(own | env)
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "portfolio.settings",
        "SYNC_EVERY_SECONDS": "3",
        "RATES_EVERY_SECONDS": "86400",
        "ECB_URL": "",
        "LOG_LEVEL": "WARNING",
    }


if __name__ == "__main__":
    sys.exit(main())
