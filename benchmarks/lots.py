"""How fast the lot engine is, as ratios within one run: bare deque, engine, whole command; growth and memory.

    python benchmarks/lots.py [--most 1000000] [--rounds 5]

The workload is the shared generator's: buys and sells alternating over five assets, a queue that grows.
"""

import argparse
import csv
import json
import math
import os
import subprocess
import sys
import tempfile
from collections import defaultdict, deque
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
GENERATOR = ROOT.parent / "shared" / "tools" / "gen_trades.py"
SIZES = (1_000, 10_000, 100_000, 1_000_000)
BUDGET_SECONDS, BUDGET_RATIO, BUDGET_MEGABYTES, BUDGET_EXPONENT = 1.5, 5.0, 100.0, 1.1


def main() -> None:
    """Measure each size, then print one line per size and the verdict on the budgets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=SIZES[-1])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--worker", choices=sorted(WORKERS), help=argparse.SUPPRESS)
    parser.add_argument("--file", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(WORKERS[options.worker](options.file))
        return
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            _measure(Path(folder) / f"{size}.csv", size, options.rounds)
            for size in SIZES
            if size <= options.most
        ]
    _judge(rows)


def bare(name: str) -> Decimal:
    """The limit: read the same file and take from a plain deque of Decimals, checking and printing nothing."""
    held: dict[str, deque[list[Decimal]]] = defaultdict(deque)
    gain = Decimal(0)
    with open(name, newline="") as file:
        rows = csv.reader(file)
        next(rows)
        for _, _, _, kind, asset, quantity, value, fee in rows:
            left, unit, queue = Decimal(quantity), Decimal(value) / Decimal(quantity), held[asset]
            if kind == "buy":
                queue.append([left, unit])
                continue
            gain -= Decimal(fee)
            while left:
                lot = queue[0]
                taken = min(left, lot[0])
                gain += taken * (unit - lot[1])
                left -= taken
                lot[0] -= taken
                if not lot[0]:
                    queue.popleft()
    return gain


def engine(name: str) -> Decimal:
    """Reading and FIFO through the product's own modules, without the command around them."""
    sys.path.insert(0, str(ROOT))
    lots = __import__("portfolio.lots", fromlist=["open_book"])
    with open(name, newline="", encoding="utf-8") as file:
        book = lots.open_book(lots.Method.FIFO)
        return sum((part.gain for part in book.disposals(lots.read_movements(file))), Decimal(0))


def make(name: str) -> str:
    """Write the generator's trades to `SIZE.csv` in the columns that the command reads."""
    path = Path(name)
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["time", "account", "to_account", "kind", "asset", "quantity", "value_usd", "fee_usd"])
        argv = [sys.executable, str(GENERATOR), path.stem, "grow"]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as trades:
            assert trades.stdout
            for row in csv.DictReader(trades.stdout):
                value = Decimal(row["qty"]) * Decimal(row["price"])
                out.writerow(
                    [row["timestamp"], "main", "", row["side"], row["asset"], row["qty"], value, "0"]
                )
    return name


WORKERS: dict[str, Callable[[str], object]] = {"bare": bare, "engine": engine, "make": make}


def _measure(path: Path, size: int, rounds: int) -> dict[str, Any]:
    me = [sys.executable, __file__, "--file", str(path), "--worker"]
    subprocess.run([*me, "make"], stdout=subprocess.DEVNULL, check=True)
    command = [sys.executable, str(ROOT / "manage.py"), "gains", "--from-csv", str(path), "--method", "fifo"]
    subjects = {
        "bare": [*me, "bare"],
        "engine": [*me, "engine"],
        "summary": [*command, "--summary"],
        "command": command,
    }
    row: dict[str, Any] = {"size": size}
    # The subjects take turns, so that a busy moment of the machine hits all of them alike.
    for _ in range(1 if size > 100_000 else rounds):
        for name, argv in subjects.items():
            seconds, megabytes, row[f"{name}_gain"] = _run(argv)
            row[name] = min(seconds, row.get(name, seconds))
            row[f"{name}_mb"] = megabytes
    _print(row)
    return row


def _run(argv: list[str]) -> tuple[float, float, Decimal]:
    """CPU seconds (user and system), peak memory in MB, and the gain that was printed.

    A child's peak counts what its parent ever held, so this process keeps nothing: it reads line by line.
    """
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(argv, stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{argv} ended with {process.returncode}.")
        output.seek(0)
        gain = sum((_gain(line) for line in output), Decimal(0))
        return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, gain


def _gain(line: str) -> Decimal:
    return Decimal(json.loads(line)["gain_usd"] if line.startswith("{") else line)


def _print(row: dict[str, Any]) -> None:
    times = "  ".join(
        f"{name} {row[name]:.2f} s ({row[name] / row['bare']:.1f} x, {row[f'{name}_mb']:.0f} MB)"
        for name in ("bare", "engine", "summary", "command")
    )
    same = len({row[f"{name}_gain"] for name in ("engine", "summary", "command")}) == 1
    near = abs(row["command_gain"] - row["bare_gain"]) < Decimal("1e-9")
    print(f"{row['size']:>9,}  {times}  gain {'equal' if same and near else 'NOT EQUAL'}", flush=True)


def _judge(rows: list[dict[str, Any]]) -> None:
    first, last = rows[0], rows[-1]
    exponents = [
        math.log(later["command"] / earlier["command"], later["size"] / earlier["size"])
        for earlier, later in pairwise(rows)
    ]
    overall = math.log(last["command"] / first["command"], last["size"] / first["size"])
    print(f"exponent {overall:.2f} over all; step by step {', '.join(f'{step:.2f}' for step in exponents)}")
    for row in rows:
        if row["size"] == 100_000:
            print(
                f"100,000 rows: {row['command']:.2f} s (budget {BUDGET_SECONDS}), "
                f"{row['command'] / row['bare']:.1f} x bare (budget {BUDGET_RATIO:.0f}), "
                f"{row['command_mb']:.0f} MB (budget {BUDGET_MEGABYTES:.0f})"
            )
    print(f"steepest step {max(exponents):.2f} (budget {BUDGET_EXPONENT})")


if __name__ == "__main__":
    main()
