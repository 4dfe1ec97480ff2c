"""What a run changed about the proofs, told in sentences and kept with the run: what broke, what was found, what holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from accounts.models import Connection
from portfolio.fields import plain
from portfolio.models import Posting, Proof, Run

SENTENCES = 12
"""A run that changes more than this says how much more."""
ROWS_NAMED = 3


def tell(connection: Connection, broken: Sequence[Proof], healed: Sequence[Proof]) -> None:
    """Add to the newest run of the connection what its proofs came to; `healed` are rows as they stood before."""
    if not broken and not healed:
        return
    run = Run.objects.of(connection).order_by("-started_at", "-pk").first()
    if run is None:
        return
    said = [*map(_broke, broken), *(sentence for proof in healed for sentence in _healed(proof))]
    fresh = [one for one in dict.fromkeys(said) if one not in run.story]
    kept = [*run.story, *fresh][:SENTENCES]
    dropped = len(run.story) + len(fresh) - len(kept)
    run.story = [*kept, f"And {dropped} more of this kind."] if dropped else kept
    run.save(update_fields=["story"])


def _broke(proof: Proof) -> str:
    return (
        f"The proof of {proof.asset} failed {_window(proof)}: {plain(proof.residual)} {proof.asset} "
        "are not explained. The lists are read again."
    )


def _healed(proof: Proof) -> Iterator[str]:
    found = list(_found(proof))
    rows = f"{len(found)} row was" if len(found) == 1 else f"{len(found)} rows were"
    named = "; ".join(_named(row) for row in found[:ROWS_NAMED])
    if found:
        yield f"{rows} found that had not been there before: {named}{'; …' if len(found) > ROWS_NAMED else ''}."
    yield f"The proof of {proof.asset} holds again {_window(proof)}: {plain(proof.residual)} {proof.asset} are explained."


def _found(proof: Proof) -> Iterator[Posting]:
    """Rows of the interval that reached us only after its sum had failed."""
    rows = Posting.objects.filter(connection=proof.connection_id, asset=proof.asset).counted()
    within = rows.filter(occurred_at__lte=proof.end, transaction__raw__current_at__gte=proof.failing_since)
    if proof.start is not None:
        within = within.filter(occurred_at__gt=proof.start)
    yield from within.select_related("transaction").order_by("-occurred_at")[: ROWS_NAMED + 1]


def _named(posting: Posting) -> str:
    row = posting.transaction
    return (
        f"{row.get_kind_display()} of {plain(posting.amount)} {posting.asset} dated {row.occurred_at:%Y-%m-%d %H:%M} "
        f"({row.external_id[:60]})"
    )


def _window(proof: Proof) -> str:
    until = f"{proof.end:%Y-%m-%d %H:%M}"
    return f"before {until}" if proof.start is None else f"between {proof.start:%Y-%m-%d %H:%M} and {until}"
