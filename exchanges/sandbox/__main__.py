"""`python -m exchanges.sandbox`: the three exchanges, and the ECB's file, on loopback with one command."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from wsgiref.types import WSGIApplication

from exchanges.sandbox import ecb
from exchanges.sandbox.keys import keys
from exchanges.sandbox.server import Serving, exchanges
from exchanges.sandbox.world import World, utc_now


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT."""
    options = parser().parse_args(arguments)
    if options.print_keys:
        sys.stdout.write(json.dumps(credentials(options.seed)) + "\n")
        return 0
    opened = opening(options.state, options.seed)
    world = World(options.seed, now=clock(options.fast), opened=opened)
    pace = {"pace": None} if options.no_pace else {}
    reference = ecb.ReferenceRates(world)
    apps: dict[str, WSGIApplication] = {**exchanges(world, btse=pace), "ecb": reference}
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        serving = Serving(apps, port_base=options.port_base)
    except OSError as error:
        sys.stderr.write(f"The sandbox cannot listen from port {options.port_base} on: {error.strerror}.\n")
        return 1
    with serving as urls:
        tell(urls, options.seed, as_json=options.json)
        reference.table()  # Years of rates take a second: before somebody waits for them.
        stop.wait()
    return 0


def parser() -> argparse.ArgumentParser:
    """What may be said on the command line."""
    made = argparse.ArgumentParser(prog="python -m exchanges.sandbox", description=__doc__)
    made.add_argument("--seed", default="demo", help="whose life is told; the same seed tells the same life")
    made.add_argument(
        "--port-base", type=int, default=8801, help="BTSE's port, three others follow; 0: any free ones"
    )
    made.add_argument(
        "--fast", type=int, default=1, metavar="N", help="time passes N times as fast as it should"
    )
    made.add_argument("--state", type=Path, help="a file that keeps the world's opening over restarts")
    made.add_argument("--no-pace", action="store_true", help="never answer 429")
    made.add_argument(
        "--print-keys", action="store_true", help="print the seed's keys as one JSON object and end"
    )
    made.add_argument("--json", action="store_true", help="print addresses and keys as one JSON object")
    return made


def opening(state: Path | None, seed: str) -> datetime:
    """When this world's live part began: kept in a file, so that a restart goes on with the same life."""
    now = utc_now().replace(microsecond=0)
    if state is None:
        return now
    known = json.loads(state.read_text()) if state.exists() else {}
    if seed not in known:
        state.parent.mkdir(parents=True, exist_ok=True)
        state.write_text(json.dumps({**known, seed: now.isoformat()}))
        return now
    return datetime.fromisoformat(known[seed])


def clock(fast: int) -> Callable[[], datetime]:
    """The wall clock, or one that hurries from now on."""
    started = utc_now()
    return lambda: started + (utc_now() - started) * fast if fast > 1 else utc_now()


def credentials(seed: str) -> dict[str, dict[str, str]]:
    """The (invented) keys in the form that `manage.py connect` reads."""
    return {name: {"key": key, "secret": secret} for name, (key, secret) in keys(seed).items()}


def tell(urls: dict[str, str], seed: str, *, as_json: bool) -> None:
    """Print where to connect and with which (invented) keys."""
    known = {name: {"url": urls[name], **one} for name, one in credentials(seed).items()}
    if as_json:
        sys.stdout.write(json.dumps(known) + "\n")
    else:
        for name, one in known.items():
            sys.stdout.write(f"{name:<11}{one['url']}  key {one['key']}  secret {one['secret']}\n")
        sys.stdout.write(f"{'ecb':<11}{urls['ecb']}{ecb.PATH}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
