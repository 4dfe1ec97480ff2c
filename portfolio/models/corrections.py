"""What a user adds to what the exchanges said: corrections and rows of one's own, with author and time, undoable."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from portfolio.fields import AmountField
from portfolio.models.ledger import Transaction
from portfolio.models.mine import DoneQuerySet, MineQuerySet


class ImportState(models.TextChoices):
    """How far the import of a file is."""

    PREVIEW = "preview", "Preview"
    DONE = "done", "Imported"
    UNDONE = "undone", "Undone"


class ImportBatch(models.Model):
    """A CSV file that a user handed in; its content is kept only until it is imported."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=120)
    account = models.CharField(max_length=60)
    digest = models.CharField(max_length=64)
    content = models.TextField(blank=True)
    columns = models.JSONField(default=dict)
    """Our names to the file's."""
    state = models.CharField(max_length=8, choices=ImportState.choices, default=ImportState.PREVIEW)
    created_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    rows = models.PositiveIntegerField(default=0)
    new = models.PositiveIntegerField(default=0)

    objects = MineQuerySet["ImportBatch"].as_manager()

    class Meta:
        verbose_name_plural = "import batches"
        constraints = [
            models.CheckConstraint(condition=Q(state__in=ImportState.values), name="import_state_known")
        ]

    def __str__(self) -> str:
        return self.name


class ManualKind(models.TextChoices):
    """What a row of one's own does; the words of the lot engine."""

    BUY = "buy", "Buy"
    SELL = "sell", "Sell"
    INCOME = "income", "Income"
    SPEND = "spend", "Spend"
    TRANSFER = "transfer", "Transfer"


class ManualEntry(models.Model):
    """A transaction that no exchange told: typed in or imported, in an account of the user's own naming.

    `identity` is the file's id, else a hash of the row and its occurrence number, so that importing twice adds
    nothing. Without `value_usd` the market value of the day counts.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, null=True, related_name="entries")
    account = models.CharField(max_length=60)
    to_account = models.CharField(max_length=60, blank=True)
    source_id = models.CharField(max_length=120, blank=True)
    identity = models.CharField(max_length=140)
    kind = models.CharField(max_length=8, choices=ManualKind.choices)
    asset = models.CharField(max_length=32)
    quantity = AmountField()
    value_usd = AmountField(null=True)
    fee_usd = AmountField(default=0)
    occurred_at = models.DateTimeField()
    note = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True)

    objects = DoneQuerySet["ManualEntry"].as_manager()

    class Meta:
        verbose_name_plural = "manual entries"
        constraints = [
            models.UniqueConstraint(fields=["user", "account", "identity"], name="manual_entry_once"),
            models.CheckConstraint(condition=Q(kind__in=ManualKind.values), name="manual_entry_kind_known"),
            models.CheckConstraint(condition=~Q(asset=""), name="manual_entry_has_asset"),
            models.CheckConstraint(condition=~Q(quantity=0), name="manual_entry_moves"),
        ]
        indexes = [models.Index(fields=["user", "occurred_at", "id"], name="manual_entry_by_time")]

    def __str__(self) -> str:
        return f"{self.kind} {self.quantity} {self.asset}"


class CorrectionKind(models.TextChoices):
    """What a correction adds."""

    COST = "cost", "Missing cost"
    KIND = "kind", "What it was"
    NOTE = "note", "Note"
    MANUAL = "manual", "Own transaction"
    PRICE = "price", "Own price"


class Treatment(models.TextChoices):
    """What a row is to the gains, where the user knows better than its kind."""

    ACQUIRED = "acquired", "Acquired from outside"
    INCOME = "income", "Income"
    RETURNED = "returned", "My own, back from outside"
    MOVED = "moved", "Moved away, still mine"
    SPENT = "spent", "Spent or sold outside"
    IGNORED = "ignored", "Leave it out"


class Correction(models.Model):
    """One thing that a user says, never an edit of what an exchange said; undone, it stays as a record."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    kind = models.CharField(max_length=8, choices=CorrectionKind.choices)
    transaction = models.ForeignKey(
        Transaction, on_delete=models.CASCADE, null=True, related_name="corrections"
    )
    entry = models.ForeignKey(ManualEntry, on_delete=models.CASCADE, null=True, related_name="corrections")
    asset = models.CharField(max_length=32, blank=True)
    day = models.DateField(null=True)
    amount = AmountField(null=True)
    """The total cost in USD, or the price of one unit."""
    treatment = models.CharField(max_length=10, choices=Treatment.choices, blank=True)
    note = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True)

    objects = DoneQuerySet["Correction"].as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=CorrectionKind.values), name="correction_kind_known"),
            models.CheckConstraint(
                condition=Q(kind="cost", transaction__isnull=False, amount__isnull=False)
                | Q(kind="kind", transaction__isnull=False, treatment__in=Treatment.values)
                | (Q(kind="note") & ~Q(note="") & (Q(transaction__isnull=False) | ~Q(asset="")))
                | Q(kind="manual", entry__isnull=False)
                | (Q(kind="price", day__isnull=False, amount__isnull=False) & ~Q(asset="")),
                name="correction_whole",
            ),
            models.UniqueConstraint(
                fields=["transaction", "kind"],
                condition=Q(undone_at__isnull=True, kind__in=["cost", "kind"]),
                name="correction_one_active",
            ),
            models.UniqueConstraint(
                fields=["user", "asset", "day"],
                condition=Q(undone_at__isnull=True, kind="price"),
                name="correction_one_price",
            ),
        ]
        indexes = [models.Index(fields=["user", "-id"], name="correction_newest")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.asset}".strip()
