"""What the store says of an account, held against the truth: a list of sentences, empty where all is equal."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal

from django.db.models import Count

from accounts.models import Connection
from exchanges.sandbox.world.ledger import EXACT
from portfolio.models import BalanceSnapshot, Posting, Quarantine, Raw, Transaction
from tests.chaos.accounts import Account, Moves, without_zeros


def differences(connection: Connection, account: Account) -> list[str]:
    """Everything in which the store differs from the exchange."""
    # The truth is read twice: what changed while we looked is no difference.
    before = _truth(account)
    stored = {
        "rows": {row.external_id for row in Transaction.objects.of(connection)},
        "rows that are not final": set(
            Transaction.objects.of(connection).open().values_list("external_id", flat=True)
        ),
        "amounts": _moves(connection),
        "balances": _held(connection),
    }
    if before != _truth(account):
        return ["the account moves on"]
    found = [
        f"{what}: {_gap(stored[what], truth)}" for what, truth in before.items() if stored[what] != truth
    ]
    quarantined = Quarantine.objects.of(connection).count()
    return found + ([f"{quarantined} rows quarantined"] if quarantined else [])


def doubles() -> list[str]:
    """Whatever stands twice, over all connections."""
    keys = ("connection", "stream", "external_id", "leg")
    twice = Transaction.objects.values(*keys).annotate(n=Count("pk")).filter(n__gt=1).count()
    raws = Raw.objects.values("connection", "stream", "source_id", "digest").annotate(n=Count("pk"))
    lonely = Posting.objects.filter(transaction__isnull=True).count()
    counts = {"transactions": twice, "raw records": raws.filter(n__gt=1).count(), "lonely postings": lonely}
    return [f"{number} {what} twice or lost" for what, number in counts.items() if number]


def _truth(account: Account) -> dict[str, object]:
    return {
        "rows": account.ids(),
        "rows that are not final": account.unsettled(),
        "amounts": account.moves(),
        "balances": account.held(),
    }


def _moves(connection: Connection) -> Moves:
    moves = defaultdict[str, dict[str, Decimal]](dict)
    for posting in Posting.objects.of(connection).counted().select_related("transaction"):
        one = moves[posting.transaction.external_id]
        one[posting.asset] = EXACT.add(one.get(posting.asset, Decimal(0)), posting.amount)
    return without_zeros(moves)


def _held(connection: Connection) -> dict[str, Decimal]:
    rows = BalanceSnapshot.objects.of(connection).newest()
    return {row.asset: row.total for row in rows if row.total}


def _gap(stored: object, truth: object) -> str:
    if isinstance(stored, set) and isinstance(truth, set):
        return f"{len(truth - stored)} missing, {len(stored - truth)} too many"
    if isinstance(stored, dict) and isinstance(truth, dict):
        keys = Counter(
            "missing" if key not in stored else "too many" if key not in truth else "different"
            for key in {*stored, *truth}
            if stored.get(key) != truth.get(key)
        )
        return ", ".join(f"{number} {what}" for what, number in sorted(keys.items()))
    return "different"
