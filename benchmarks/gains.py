"""How the gains of a real ledger grow: the whole computation, and the update after one day's new rows.

    python benchmarks/gains.py [--sizes 1000 10000 100000] [--method fifo] [--rounds 5]

The rows are the shared generator's, twenty a day whatever the length of the history, in a database of its own (SQLite
in a temporary folder, or DATABASE_URL, whose name must end in "benchmark"). Figures are CPU seconds of this process.
"""

import argparse
import logging
import math
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.util import module_from_spec, spec_from_file_location
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
GENERATOR = ROOT.parent / "shared" / "tools" / "gen_trades.py"
BEGIN = datetime(2010, 1, 1, tzinfo=UTC)
A_DAY = 20
BUDGET_RATIO, BUDGET_EXPONENT = 1.5, 1.1


def main() -> None:
    """Each size in turn, then the growth of both figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--method", default="fifo", choices=["fifo", "lifo", "hifo", "average", "uk"])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        _set_up(folder)
        rows = [_measure(size, options.method, options.rounds) for size in options.sizes]
    _judge(rows)


def _set_up(folder: str) -> None:
    sys.path.insert(0, str(ROOT))
    os.environ["DATA_DIR"] = folder
    os.environ["DJANGO_SETTINGS_MODULE"] = "portfolio.settings"
    if not os.environ.get("DATABASE_URL", "benchmark").endswith("benchmark"):
        raise SystemExit("The name of the database must end in “benchmark”.")
    import django  # noqa: PLC0415
    from django.core.management import call_command  # noqa: PLC0415

    django.setup()
    logging.disable(logging.WARNING)
    call_command("migrate", verbosity=0)


def _measure(size: int, method: str, rounds: int) -> dict[str, float]:
    from accounts.models import User  # noqa: PLC0415
    from portfolio import gains  # noqa: PLC0415
    from portfolio.models import GainsChoice  # noqa: PLC0415

    user = User.objects.create(email=f"{method}-{size}-{time.time()}@example.org")
    GainsChoice.objects.create(user=user, method=method)
    connection = _connection(user)
    told = _trades(size + rounds * A_DAY)
    _fill(connection, islice(told, size))
    now = _time(size)
    whole = _cpu(lambda: gains.compute(user, now))
    updates = []
    for number in range(rounds):
        _fill(connection, islice(told, A_DAY))
        begin = _time(size + number * A_DAY)
        now = begin + timedelta(days=1)
        gains.want(user, now, since=begin)
        updates.append(_cpu(lambda at=now: gains.compute(user, at)))  # type: ignore[misc]
    row = {"size": size, "whole": whole, "update": sorted(updates)[len(updates) // 2]}
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{size:>9,} rows  whole {whole:.2f} s ({size / whole:,.0f} rows/s)"
        f"  one day's {A_DAY} rows {row['update'] * 1000:.0f} ms  peak {megabytes:.0f} MB",
        flush=True,
    )
    return row


def _connection(user: Any) -> Any:
    from accounts.models import Connection  # noqa: PLC0415

    return Connection.objects.create(user=user, exchange="btse", label="benchmark", state="active")


def _trades(count: int) -> Iterator[Any]:
    spec = spec_from_file_location("gen_trades", GENERATOR)
    assert spec and spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Iterator[Any] = module.generate(count, "grow")
    return found


def _time(number: int) -> datetime:
    return BEGIN + timedelta(days=number // A_DAY, minutes=70 * (number % A_DAY))


def _fill(connection: Any, trades: Iterator[Any]) -> None:
    from benchmarks.inside import history  # noqa: PLC0415
    from exchanges.records import Kind, Role  # noqa: PLC0415

    history.append(
        connection,
        (
            history.Line(
                Kind.TRADE,
                _time(number - 1),
                tuple((*leg, Role.PRINCIPAL) for leg in _legs(side, name, quantity, price)),
            )
            for number, _, side, name, quantity, price in trades
        ),
    )


def _legs(side: str, name: str, quantity: Decimal, price: Decimal) -> list[tuple[str, Decimal]]:
    sign = 1 if side == "buy" else -1
    return [(name, sign * quantity), ("USD", -sign * quantity * price)]


def _cpu(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def _judge(rows: list[dict[str, float]]) -> None:
    first, last = rows[0], rows[-1]
    steps = [
        math.log(later["whole"] / earlier["whole"], later["size"] / earlier["size"])
        for earlier, later in pairwise(rows)
    ]
    print(
        f"whole: exponent step by step {', '.join(f'{step:.2f}' for step in steps)} (budget {BUDGET_EXPONENT})"
    )
    print(
        f"one day's rows: {last['update'] / first['update']:.2f} x with {last['size']:,} rows of history"
        f" what it is with {first['size']:,} (budget {BUDGET_RATIO})"
    )


if __name__ == "__main__":
    main()
