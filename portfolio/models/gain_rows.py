"""The rows of a report of gains: disposals, lots, totals, holdings, problems, and the chapters they belong to.

What lies before a chapter can be kept when what lies after it is found again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self, TypeVar

from django.db import models
from django.db.models import Q

from portfolio.fields import AmountField
from portfolio.models.gains import GainsReport

Row = TypeVar("Row", bound=models.Model)
Lasting = TypeVar("Lasting", bound="Version")


class ReportQuerySet(models.QuerySet[Row]):
    """Rows of reports."""

    def for_user(self, user: Any) -> Self:
        """Only what this user may see."""
        return self.filter(report__user=user)

    def of(self, report: GainsReport | None) -> Self:
        """Only what this report found; nothing for none."""
        return self.filter(report=report) if report else self.none()

    def back_to(self, chapter: int) -> None:
        """Forget what was found in this chapter and after it."""
        self.filter(chapter__gte=chapter).delete()


class VersionQuerySet(ReportQuerySet[Lasting]):
    """Rows that stand for a while: from the chapter in which they came about until the one in which they ended."""

    def of(self, report: GainsReport | None) -> Self:
        """Only what holds at the end of this report."""
        return super().of(report).filter(until__isnull=True)

    def at(self, report: GainsReport, chapter: int) -> Iterator[Lasting]:
        """What held when the chapter began, and still does or ended since.

        What came about since is left out here and not by the database, which would take the index of that condition.
        """
        rows = self.filter(report=report).filter(Q(until__isnull=True) | Q(until__gte=chapter))
        return (row for row in rows.iterator() if row.chapter < chapter)

    def back_to(self, chapter: int) -> None:
        """Let hold again what held when the chapter began."""
        super().back_to(chapter)
        self.filter(until__gte=chapter).update(until=None)


class ChapterQuerySet(ReportQuerySet["GainsChapter"]):
    """Questions asked of chapters."""

    def back_to(self, chapter: int) -> None:
        """Forget those after this one."""
        self.filter(number__gt=chapter).delete()


class GainsChapter(models.Model):
    """A place in the history of a report from which it can be gone on with: what was counted before it."""

    report = models.ForeignKey(GainsReport, on_delete=models.CASCADE, related_name="chapters")
    number = models.PositiveIntegerField()
    begins_at = models.DateTimeField()
    state = models.JSONField()

    objects = ChapterQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["report", "number"], name="gains_chapter_once")]
        indexes = [models.Index(fields=["report", "begins_at"], name="gains_chapter_by_time")]

    def __str__(self) -> str:
        return f"{self.number} from {self.begins_at.date()}"


class GainDisposal(models.Model):
    """One disposed part with the cost it was matched with. `source` names the row that it came from."""

    report = models.ForeignKey(GainsReport, on_delete=models.CASCADE, related_name="disposals")
    chapter = models.PositiveIntegerField()
    number = models.PositiveIntegerField()
    movement = models.PositiveIntegerField()
    year = models.PositiveSmallIntegerField()
    asset = models.CharField(max_length=32)
    account = models.CharField(max_length=80, blank=True)
    reason = models.CharField(max_length=12)
    match = models.CharField(max_length=12)
    term = models.CharField(max_length=8)
    acquired = models.DateTimeField(null=True)
    disposed = models.DateTimeField()
    quantity = AmountField()
    proceeds = AmountField()
    cost = AmountField()
    gain = AmountField()
    is_assumed = models.BooleanField(default=False)
    source = models.CharField(max_length=24, blank=True)

    objects = ReportQuerySet["GainDisposal"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["report", "number"], name="gain_disposal_once")]
        indexes = [
            models.Index(fields=["report", "year", "number"], name="gain_disposal_of_year"),
            models.Index(fields=["report", "chapter"], name="gain_disposal_of_chapter"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} {self.asset}"


class Version(models.Model):
    """What the rows that stand for a while share; `serial` names one within its report."""

    serial = models.PositiveIntegerField()
    chapter = models.PositiveIntegerField()
    until = models.PositiveIntegerField(null=True)

    class Meta:
        abstract = True
        constraints = [models.UniqueConstraint(fields=["report", "serial"], name="%(class)s_serial")]
        indexes = [
            models.Index(fields=["report", "chapter"], name="%(class)s_from"),
            models.Index(fields=["report", "until"], name="%(class)s_until"),
        ]


class GainLot(Version):
    """What is held of one acquisition: `number` is its place among all, `tie` among pieces of one, `unit` its price.

    `ranked` is the price as text that sorts as the price does.
    """

    report = models.ForeignKey(GainsReport, on_delete=models.CASCADE, related_name="lots")
    number = models.PositiveIntegerField()
    tie = models.PositiveIntegerField()
    asset = models.CharField(max_length=32)
    account = models.CharField(max_length=80, blank=True)
    acquired = models.DateTimeField(null=True)
    quantity = AmountField()
    cost = AmountField()
    unit = models.CharField(max_length=140)
    ranked = models.CharField(max_length=80)
    is_assumed = models.BooleanField(default=False)

    objects = VersionQuerySet["GainLot"].as_manager()

    class Meta(Version.Meta):
        indexes = [
            *Version.Meta.indexes,
            models.Index(
                fields=["report", "asset", "account", "number", "tie"],
                name="gain_lot_by_age",
                condition=Q(until__isnull=True),
            ),
            models.Index(
                fields=["report", "asset", "account", "-ranked", "number", "tie"],
                name="gain_lot_by_price",
                condition=Q(until__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} {self.asset}"


class GainTotal(Version):
    """What one reason brought for one asset in one year; income is told apart and is no gain."""

    report = models.ForeignKey(GainsReport, on_delete=models.CASCADE, related_name="totals")
    year = models.PositiveSmallIntegerField()
    asset = models.CharField(max_length=32)
    reason = models.CharField(max_length=12)
    count = models.PositiveIntegerField()
    quantity = AmountField()
    proceeds = AmountField()
    cost = AmountField()
    gain = AmountField()
    short_gain = AmountField()
    long_gain = AmountField()
    undated_gain = AmountField()

    objects = VersionQuerySet["GainTotal"].as_manager()

    class Meta(Version.Meta):
        constraints = [
            *Version.Meta.constraints,
            models.UniqueConstraint(
                fields=["report", "year", "asset", "reason"],
                condition=Q(until__isnull=True),
                name="gain_total_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.year} {self.asset} {self.gain}"


class GainHolding(Version):
    """All open lots of one asset together, how much of them has an assumed cost, what is away, and what is where."""

    report = models.ForeignKey(GainsReport, on_delete=models.CASCADE, related_name="holdings")
    asset = models.CharField(max_length=32)
    lots = models.PositiveIntegerField()
    quantity = AmountField()
    cost = AmountField()
    assumed = AmountField()
    away = AmountField()
    accounts = models.JSONField(default=dict)

    objects = VersionQuerySet["GainHolding"].as_manager()

    class Meta(Version.Meta):
        constraints = [
            *Version.Meta.constraints,
            models.UniqueConstraint(
                fields=["report", "asset"], condition=Q(until__isnull=True), name="gain_holding_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} {self.asset}"


class GainProblem(models.Model):
    """Something that the figures rest on and nobody has said for sure."""

    report = models.ForeignKey(GainsReport, on_delete=models.CASCADE, related_name="problems")
    chapter = models.PositiveIntegerField()
    number = models.PositiveIntegerField()
    code = models.CharField(max_length=16)
    at = models.DateTimeField(null=True)
    asset = models.CharField(max_length=32, blank=True)
    account = models.CharField(max_length=80, blank=True)
    quantity = AmountField(null=True)
    value_usd = AmountField(null=True)
    source = models.CharField(max_length=24, blank=True)

    objects = ReportQuerySet["GainProblem"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["report", "number"], name="gain_problem_once")]
        indexes = [
            models.Index(fields=["report", "code", "number"], name="gain_problem_by_code"),
            models.Index(fields=["report", "chapter"], name="gain_problem_of_chapter"),
        ]

    def __str__(self) -> str:
        return self.code
