"""How fast pages become ledger, as a ratio to a bare `bulk_create` of the same rows in the same run.

    python benchmarks/ingest.py [ROWS]        # on SQLite in a fresh folder; DATABASE_URL=… for another database

Pages of 500 rows go through `Store.put` as in a sync: raw records, meaning, transactions, postings, cursor. The bare
run writes the very same Raw, Transaction and Posting objects. Goal: at least 0.4.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
PAGE = 500
if "DATA_DIR" not in os.environ:
    os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="holdfast-bench-")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portfolio.settings")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import django  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402

from accounts.models import Connection, State, User  # noqa: E402
from exchanges import wire  # noqa: E402
from exchanges.clock import SYSTEM_CLOCK  # noqa: E402
from exchanges.connect import normaliser  # noqa: E402
from exchanges.connector import Page  # noqa: E402
from portfolio.models import Posting, Raw, Run, StreamRun, Transaction  # noqa: E402
from portfolio.sync.hold import Hold  # noqa: E402
from portfolio.sync.reading import Reader  # noqa: E402
from portfolio.sync.store import Store  # noqa: E402


def pages(rows: int) -> Iterator[Page]:
    """Pages of Tether.to transactions, every fourth with a fee."""
    for start in range(0, rows, PAGE):
        raws = tuple(
            wire.record("transactions", str(number), _row(number)) for number in range(start, start + PAGE)
        )
        yield Page(stream="transactions", raws=raws, cursor={"next": start}, sent=PAGE)


def _row(number: int) -> dict[str, object]:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_500_000_000 + number * 600))
    return {
        "id": number, "amount": f"{number % 997}.123456789012345678", "balance": "7201.94", "message": None,
        "created_at": at, "updated_at": at, "description": f"Transaction {number}", "currency": "USD₮",
        "status": "completed", "tx_type": "receive", "fee": "0.5" if number % 4 == 0 else None,
    }  # fmt: skip


def connection(label: str) -> Connection:
    """A fresh connection that we hold."""
    user, _ = User.objects.get_or_create(email="bench@example.org")
    made = Connection.objects.create(user=user, exchange="tether", label=label, state=State.ACTIVE)
    made.take_lease("bench", SYSTEM_CLOCK.now())
    return made


def ingest(rows: int) -> tuple[Connection, float]:
    """Seconds for all pages."""
    at = connection(f"ingest {time.time()}")
    run = Run.objects.create(connection=at, worker="bench")
    store = Store(
        at, run, Reader(normaliser("tether")), Hold(at, run, SYSTEM_CLOCK), SYSTEM_CLOCK, lambda: None
    )
    progress = StreamRun.objects.create(run=run, stream="transactions")
    made = list(pages(rows))
    began = time.perf_counter()
    for page in made:
        store.put(page, progress)
    return at, time.perf_counter() - began


def bare(source: Connection) -> float:
    """Seconds for the same rows without any sense."""
    at = connection(f"bare {time.time()}")
    raws = list(Raw.objects.of(source).order_by("pk"))
    transactions = list(Transaction.objects.of(source).order_by("pk"))
    postings = list(Posting.objects.of(source).order_by("pk"))
    place = {row.pk: index for index, row in enumerate(raws)}
    parent = {row.pk: index for index, row in enumerate(transactions)}
    links = [place[row.raw_id] for row in transactions], [parent[row.transaction_id] for row in postings]
    for row in (*raws, *transactions, *postings):
        row.pk, row.connection = None, at
    began = time.perf_counter()
    for start in range(0, len(raws), PAGE):
        with transaction.atomic():
            Raw.objects.bulk_create(raws[start : start + PAGE])
            some = transactions[start : start + PAGE]
            for row, index in zip(some, links[0][start : start + PAGE], strict=True):
                row.raw = raws[index]
            Transaction.objects.bulk_create(some)
    for start in range(0, len(postings), PAGE):
        some_postings = postings[start : start + PAGE]
        for posting, index in zip(some_postings, links[1][start : start + PAGE], strict=True):
            posting.transaction = transactions[index]
        with transaction.atomic():
            Posting.objects.bulk_create(some_postings)
    return time.perf_counter() - began


def main() -> None:
    """One line of figures."""
    call_command("migrate", verbosity=0)
    ingest(PAGE)
    source, ours = ingest(ROWS)
    least = bare(source)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"{ROWS} records: ingest {ROWS / ours:,.0f}/s, bare {ROWS / least:,.0f}/s, ratio {least / ours:.2f}, peak {peak} MB"
    )
    Connection.objects.filter(label__startswith="bench").delete()


if __name__ == "__main__":
    main()
