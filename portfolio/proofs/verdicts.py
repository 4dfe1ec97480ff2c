"""What the sum of an interval means: proved, assumed, unexplained, without a ledger, or incomplete; and a plain reason."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import Connection
from exchanges.records import Assumption
from portfolio.fields import plain
from portfolio.models import Posting, Quarantine, Verdict
from portfolio.proofs.chain import Link
from portfolio.proofs.coverage import Read

ASSUMPTIONS = {
    Assumption.FEE_CURRENCY.value: "the exchange does not name the currency of a fee",
    Assumption.DIRECTION.value: "the exchange does not name the direction of a movement",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict and, where it needs one, its reason."""

    verdict: Verdict
    note: str = ""


def judged(connection: Connection, asset: str, link: Link, read: Read) -> Judgement:
    """What a link came to."""
    if not link.residual:
        return _exact(link, read)
    left = f"{plain(link.residual)} {asset}"
    if not connection.known.has_full_ledger:
        who = connection.known.label
        return Judgement(
            verdict=Verdict.NO_LEDGER, note=f"{left} came or went in a way that {who} does not list."
        )
    if not read.all_cover(link.start, link.end):
        return Judgement(verdict=Verdict.INCOMPLETE, note="The ledger has not been read completely here yet.")
    if link.start is None and read.begins_later:
        return Judgement(
            verdict=Verdict.INCOMPLETE,
            note=f"Opening balance: {left} was there before the exchange's list begins.",
        )
    return Judgement(verdict=Verdict.UNEXPLAINED, note=_hint(connection, asset, link, left))


def _exact(link: Link, read: Read) -> Judgement:
    if not read.any_covers(link.start, link.end):
        return Judgement(verdict=Verdict.INCOMPLETE, note="The ledger has not been read here yet.")
    named = [ASSUMPTIONS.get(one, one) for one in sorted(link.assumptions)]
    if named:
        return Judgement(verdict=Verdict.ASSUMED, note=f"Assumed: {'; '.join(named)}.")
    moved = len(link.later)
    if moved:
        rows = "1 row was" if moved == 1 else f"{moved} rows were"
        return Judgement(verdict=Verdict.PROVED, note=f"{rows} still on the way here and counted later.")
    return Judgement(verdict=Verdict.PROVED)


def _hint(connection: Connection, asset: str, link: Link, left: str) -> str:
    """What could explain a residual, as far as one look tells."""
    text = f"{left} is not explained by the ledger."
    if link.start is None:
        text = f"{left} was there before, and the ledger does not say from where."
    same = Posting.objects.of(connection).filter(asset=asset, amount=link.residual, counts=False)
    found = same.select_related("transaction").order_by("-occurred_at").first()
    if found is not None:
        row = found.transaction
        text += (
            f" A {row.get_status_display()} {row.get_kind_display()} ({row.external_id}) is of this amount."
        )
    unreadable = Quarantine.objects.of(connection).exclude(stream="balances").count()
    if unreadable:
        text += f" {unreadable} rows could not be read."
    return text
