"""The demo: three sandbox exchanges on loopback, a user with three connections, web, worker and beat. Ends as one.

Knows the product only through its commands, as a user would. Asks nobody outside of this computer.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("DATA_DIR", ROOT / "data" / "demo")).resolve()
EMAIL, PASSWORD = "demo@example.com", "look-at-what-you-own"
LABELS = {"btse": "BTSE main account", "tether": "Tether treasury", "tokens_net": "Tokens.net trading"}
SEED = "demo"


def free_port(wanted: int) -> int:
    """The wanted port, or the next free one."""
    for port in range(wanted, wanted + 50):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise SystemExit(f"No free port from {wanted} on. End what listens there, or set PORT.")


def manage(*words: str, text: str | None = None, **extra: str) -> subprocess.CompletedProcess[str]:
    """One manage.py command; its own error text goes through."""
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env={**os.environ, **extra},
        input=text,
        text=True,
        stdout=subprocess.PIPE,
        check=False,
    )


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Until something listens there; ends the demo when the process dies or nothing comes within 20 s."""
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise SystemExit("The sandbox exchanges did not start.")


def connect_all(keys: dict[str, dict[str, str]]) -> None:
    """The demo user's three connections; those that exist already stay."""
    for exchange, label in LABELS.items():
        done = manage(
            "connect",
            "--user",
            EMAIL,
            "--exchange",
            exchange,
            "--label",
            label,
            text=json.dumps(keys[exchange]),
        )
        print(f"  {label}: {'connected' if done.returncode == 0 else 'as before'}", flush=True)


def main() -> int:
    """Set up, start, wait, clean up."""
    base, port = free_port(8701), free_port(int(os.environ.get("PORT", "8000")))
    os.environ |= {
        "DATA_DIR": str(DATA),
        "PORT": str(port),
        "BTSE_URL": f"http://127.0.0.1:{base}",
        "TETHER_URL": f"http://127.0.0.1:{base + 1}",
        "TOKENS_NET_URL": f"http://127.0.0.1:{base + 2}",
        "ECB_URL": f"http://127.0.0.1:{base + 3}/stats/eurofxref/eurofxref-hist.zip",
        "SYNC_EVERY_SECONDS": os.environ.get("SYNC_EVERY_SECONDS", "60"),
        "RATES_EVERY_SECONDS": os.environ.get("RATES_EVERY_SECONDS", "60"),
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "ERROR"),
        # The demo is thrown away: that Celery runs as root, where it does, is no news here.
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
    }
    print("Starting the sandbox exchanges …", flush=True)
    DATA.mkdir(parents=True, exist_ok=True, mode=0o700)
    state = ("--state", str(DATA / "sandbox.json"))
    sandbox = subprocess.Popen(
        [sys.executable, "-m", "exchanges.sandbox", "--seed", SEED, "--port-base", str(base), *state],
        stdout=subprocess.DEVNULL,
        cwd=ROOT,
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        wait_for(base + 3, sandbox)
        print("Preparing the database …", flush=True)
        if manage("setup").returncode != 0:
            return 1
        manage("createsuperuser", "--no-input", "--email", EMAIL, DJANGO_SUPERUSER_PASSWORD=PASSWORD)
        shown = subprocess.run(
            [sys.executable, "-m", "exchanges.sandbox", "--seed", SEED, "--print-keys"],
            cwd=ROOT,
            text=True,
            capture_output=True,
            check=True,
        )
        connect_all(json.loads(shown.stdout))
        print(
            f"\n  Look at   http://127.0.0.1:{port}/\n  log in as {EMAIL}\n  password  {PASSWORD}\n",
            flush=True,
        )
        return run_until_one_ends(sandbox)
    finally:
        end(sandbox)


def run_until_one_ends(sandbox: subprocess.Popen[bytes]) -> int:
    """Serve until Ctrl-C, or until the server or the sandbox dies."""
    server = subprocess.Popen([sys.executable, "manage.py", "serve"], cwd=ROOT)
    try:
        while server.poll() is None and sandbox.poll() is None:
            time.sleep(0.3)
        if sandbox.poll() is not None:
            print("The sandbox ended, so the demo ends.", flush=True)
        return server.poll() or 0
    except KeyboardInterrupt:
        return 0
    finally:
        end(server)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a child to end; insist after ten seconds."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


if __name__ == "__main__":
    sys.exit(main())
