"""Whether what stands can be derived again: three sandbox accounts and own entries in a fresh database, part of `make check`.

Compares, damages all that was derived, sees that this is noticed, mends it and compares again.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
import tempfile
from contextlib import redirect_stdout
from datetime import timedelta

from exchanges.sandbox.keys import keys
from exchanges.sandbox.server import Serving, exchanges
from exchanges.sandbox.world import World

SEED, EMAIL = "rebuilt", "rebuilt@example.com"


def main() -> int:
    """In a folder of its own, which goes with it."""
    folder = tempfile.mkdtemp(prefix="holdfast-rebuilt-")
    try:
        with Serving(exchanges(lived(World(SEED, empty=True)), btse={"pace": None})) as urls:
            return checked(folder, urls)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def lived(world: World) -> World:
    """A few days at each exchange."""
    for day in range(9, 0, -3):
        at = world.now().replace(microsecond=0) - timedelta(days=day)
        world.btse.add("Deposit", "USDT", f"{day}.25", at=at)
        world.btse.add_fill("BTC-USDT", "BUY", "0.0001", "9000", at=at + timedelta(hours=1))
        world.tether.add("receive", "USDT", f"{day}.5", at=at)
        world.tokens_net.add_trade("btcusdt", "buy", "0.001", "9000", at=at)
    world.tether.add("send", "USDT", "-3", settles=world.now() + timedelta(days=1))
    return world


def checked(folder: str, urls: dict[str, str]) -> int:
    """0 where rebuild says what is so at every step."""
    for name in ("DATABASE_URL", "BROKER_URL", "CACHE_URL"):
        os.environ.pop(name, None)
    os.environ |= {f"{name.upper()}_URL": url for name, url in urls.items()}
    os.environ |= {"DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "portfolio.settings", "ECB_URL": ""}
    import django
    from django.core.management import call_command

    django.setup()
    with redirect_stdout(io.StringIO()):
        call_command("setup", verbosity=0)
        connected()
        entered()
        call_command("sync")
    steps = [("as synced", 0, {}), ("damaged", 1, {}), ("mended", 0, {"write": True}), ("after that", 0, {})]
    for step, wanted, options in steps:
        if step == "damaged":
            damage()
        if rebuilt(**options) != wanted:
            print(f"rebuild did not end with {wanted} on the database {step}.")
            return 1
    return 0


def connected() -> None:
    """A user with a key to each exchange."""
    from accounts.keys import store_key
    from accounts.models import Connection, State, User

    user = User.objects.create_user(EMAIL, None)
    for name, (key, secret) in keys(SEED).items():
        made = Connection.objects.create(user=user, exchange=name, label=name, state=State.ACTIVE)
        store_key(made, key, secret)


def entered() -> None:
    """Rows of the user's own in two accounts, which are written down when they are first compared."""
    from django.utils import timezone

    from accounts.models import User
    from portfolio import corrections
    from portfolio.models import ManualEntry, ManualKind

    user, now = User.objects.get(), timezone.now()
    for day, kind, to in ((9, ManualKind.BUY, ""), (5, ManualKind.BUY, ""), (2, ManualKind.TRANSFER, "Safe")):
        at = now - timedelta(days=day)
        entry = ManualEntry(
            account="Ledger",
            to_account=to,
            asset="BTC",
            identity=f"{day}",
            kind=kind,
            quantity=1,
            occurred_at=at,
        )
        corrections.enter(user, entry, now)


def damage() -> None:
    """Every row of every derived table says something else."""
    from portfolio import models

    models.Transaction.objects.update(description="damaged")
    models.Posting.objects.update(amount=1)
    models.BalanceSnapshot.objects.update(total=1)
    models.Coverage.objects.update(open_rows={})
    models.Proof.objects.update(residual=1)
    models.DailyFlow.objects.update(count=99)
    models.DailyHolding.objects.update(quantity=1)
    models.DailyWorth.objects.update(held=99)
    models.MonthlyChange.objects.update(unpriced=["damaged"])


def rebuilt(**options: bool) -> int:
    """The exit code of the command; what it says is printed."""
    from django.core.management import CommandError, call_command

    try:
        call_command("rebuild", **options)
    except CommandError as error:
        print(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
