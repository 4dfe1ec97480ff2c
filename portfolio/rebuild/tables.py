"""Which tables are derived from Raw, what names a row in each, and which columns must be as derived."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models

from portfolio.models import (
    BalanceSnapshot,
    Coverage,
    DailyFlow,
    DailyHolding,
    DailyWorth,
    MonthlyChange,
    Posting,
    Proof,
    Transaction,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One derived table of a connection."""

    model: type[models.Model]
    noun: str
    key: tuple[str, ...]
    """The columns that name a row within its connection."""
    compared: tuple[str, ...]
    priced: tuple[str, ...] = ()
    """Columns that follow the prices, which still move on the open day and are not compared there."""
    settled: str = "day"
    """The column that says whether a row tells of the open day."""
    later: tuple[str, ...] = ()
    """Columns of older installations that are empty until they are told, which is no difference."""
    spare: bool = False
    """Whether a row may be missing: it saves reading others, and is made when there is time."""
    repeats: bool = False
    """Whether several rows may share a key; they are told apart by their order."""
    told: bool = False
    """Whether its rows follow from those of the ledger, so that they may be told while others look."""
    written: tuple[str, ...] = ()
    """The only columns to overwrite, where the others of a row say what no record says."""

    @property
    def name(self) -> str:
        """In the database."""
        return self.model._meta.db_table

    @property
    def columns(self) -> tuple[str, ...]:
        """All but the primary key."""
        fields = self.model._meta.concrete_fields
        return tuple(str(field.column) for field in fields if not field.primary_key)

    @property
    def overwritten(self) -> tuple[str, ...]:
        """What of a row that differs is written anew."""
        return self.written or (*self.compared, *self.priced)


TRANSACTIONS = Table(
    model=Transaction,
    noun="transaction",
    key=("stream", "external_id", "leg"),
    compared=(
        *("kind", "status", "occurred_at", "description", "raw_kind", "raw_status", "revised_at", "rank"),
        *("assumption", "balance_after", "network_id", "assets", "first_seen", "raw_id"),
    ),
)
POSTINGS = Table(
    model=Posting,
    noun="posting",
    key=("transaction_id", "asset", "role"),
    compared=("amount", "kind", "occurred_at", "counts"),
    repeats=True,
)
COVERAGE = Table(model=Coverage, noun="list", key=("stream",), compared=("open_rows", "latest"))
TABLES = (
    TRANSACTIONS,
    POSTINGS,
    Table(
        model=BalanceSnapshot,
        noun="balance",
        key=("asset", "first_seen"),
        compared=("total", "available", "pending", "last_seen", "raw_id"),
    ),
    COVERAGE,
    Table(
        model=Proof,
        noun="proof",
        key=("asset", "end"),
        compared=("start", "opening", "postings", "closing", "residual", "verdict", "later", "earlier"),
        told=True,
        written=(
            *("start", "opening", "postings", "closing", "residual", "verdict", "later", "earlier", "note"),
        ),
    ),
    Table(
        model=DailyFlow,
        noun="daily flow",
        key=("asset", "day", "kind", "role"),
        compared=("amount", "count"),
        told=True,
    ),
    Table(
        model=DailyHolding,
        noun="daily holding",
        key=("asset", "day"),
        compared=("quantity", "certainty", "flow", "unexplained"),
        priced=("price_usd", "value_usd", "flow_usd"),
        told=True,
    ),
    Table(
        model=DailyWorth,
        noun="daily total",
        key=("day",),
        compared=("held", "uncertain"),
        priced=("value_usd", "flow_usd", "priced", "came_before", "came_after", "assets"),
        later=("came_before", "came_after", "assets"),
        told=True,
    ),
    Table(
        model=MonthlyChange,
        noun="month",
        key=("month",),
        compared=(),
        priced=("bars", "unpriced"),
        settled="month",
        spare=True,
        told=True,
    ),
)
TOLD = tuple(table for table in TABLES if table.told)
