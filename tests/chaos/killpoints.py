"""`make killpoints`: one small sync killed at every single write to the disk, then a clean one; the ledger must be true.

strace sends SIGKILL at the k-th system call that changes a file, for k = 1, 2, … until the sync runs to its end.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import django
from django.core.management import call_command


def main() -> int:
    """Set up once, then try each point on a copy."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.chaos.killpoints")
    parser.add_argument("--most", type=int, default=150, help="how many points at most, spread evenly")
    options = parser.parse_args()
    if not have_strace():
        print("SKIPPED: strace is not installed and cannot be installed here (it takes root and apt-get).")
        return 0
    folder = Path(tempfile.mkdtemp(prefix="holdfast-killpoints-"))
    try:
        os.environ |= {
            "DATA_DIR": str(folder / "data"),
            "DJANGO_SETTINGS_MODULE": "portfolio.settings",
            "LOG_LEVEL": "ERROR",
        }
        for name in ("DATABASE_URL", "BROKER_URL", "CACHE_URL"):
            os.environ.pop(name, None)
        django.setup()
        call_command("setup", verbosity=0)
        tiny = __import__("tests.chaos.tiny", fromlist=["Tiny"])
        return 1 if tiny.Tiny(folder, options.most).run() else 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def have_strace() -> bool:
    """Whether strace is there, or could be installed."""
    if shutil.which("strace") is None and os.getuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-qq"], capture_output=True, check=False)
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "strace"]
        subprocess.run(install, capture_output=True, check=False)
    return shutil.which("strace") is not None


if __name__ == "__main__":
    sys.exit(main())
