"""How each sync went: runs, their streams, and which spans have been read completely."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Connection
from portfolio.models.owned import OwnedQuerySet


class RunState(models.TextChoices):
    """How far a run, or one stream of it, is."""

    RUNNING = "running", "Running"
    OK = "ok", "Done"
    PARTIAL = "partial", "Partly done"
    FAILED = "failed", "Failed"
    INTERRUPTED = "interrupted", "Interrupted"


class Trigger(models.TextChoices):
    """Who asked for a run."""

    SCHEDULE = "schedule", "Schedule"
    USER = "user", "User"
    COMMAND = "command", "Command"
    PROOF = "proof", "Failed proof"


class RunQuerySet(OwnedQuerySet["Run"]):
    """Questions asked of runs."""

    def running(self) -> Self:
        """Those that have not ended."""
        return self.filter(state=RunState.RUNNING)

    def interrupt_stale(self, before: datetime, now: datetime) -> int:
        """Close runs whose worker has been silent since `before`; how many."""
        stale = self.running().filter(heartbeat_at__lt=before)
        return stale.update(state=RunState.INTERRUPTED, finished_at=now, error="The worker stopped.")


class Run(models.Model):
    """One attempt to bring a connection up to date."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="runs")
    trigger = models.CharField(max_length=10, choices=Trigger.choices, default=Trigger.SCHEDULE)
    full = models.BooleanField(default=False)
    state = models.CharField(max_length=12, choices=RunState.choices, default=RunState.RUNNING)
    worker = models.CharField(max_length=64, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    heartbeat_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    requests = models.PositiveIntegerField(default=0)
    retries = models.PositiveIntegerField(default=0)
    waited_ms = models.PositiveIntegerField(default=0)
    error_code = models.CharField(max_length=40, blank=True)
    error = models.CharField(max_length=400, blank=True)
    advice = models.CharField(max_length=400, blank=True)
    story = models.JSONField(default=list, blank=True)
    """Sentences about what was remarkable: a late row found, a hole read again."""
    calls = models.JSONField(default=dict, blank=True)
    """A bounded summary of its calls: how many of each path ended how, and the last few. No query, no header, no text."""

    objects = RunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection"], condition=Q(state="running"), name="run_one_at_a_time"
            ),
            models.CheckConstraint(condition=Q(state__in=RunState.values), name="run_state_known"),
            models.CheckConstraint(
                condition=Q(state="running", finished_at__isnull=True) | ~Q(state="running"),
                name="run_running_has_no_end",
            ),
        ]
        indexes = [models.Index(fields=["connection", "-started_at"], name="run_newest")]

    def __str__(self) -> str:
        return f"{self.connection}: {self.get_state_display()}"


class StreamRun(models.Model):
    """What one run did on one stream; updated with every page, so that a page can show progress."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="streams")
    stream = models.CharField(max_length=40)
    state = models.CharField(max_length=12, choices=RunState.choices, default=RunState.RUNNING)
    pages = models.PositiveIntegerField(default=0)
    sent = models.PositiveIntegerField(default=0)
    new = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    quarantined = models.PositiveIntegerField(default=0)
    reached = models.DateTimeField(null=True, blank=True)
    """How far back (or on) the reading has come: the earliest time covered in this run."""
    error_code = models.CharField(max_length=40, blank=True)
    error = models.CharField(max_length=400, blank=True)
    advice = models.CharField(max_length=400, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "stream"], name="stream_once_a_run")]

    def __str__(self) -> str:
        return f"{self.stream}: {self.get_state_display()}"


class Coverage(models.Model):
    """From where the next read of a stream starts, and which spans have been read completely.

    `spans` is a sorted list of disjoint [start, end) pairs, ISO 8601 UTC. `cursor` is the connector's own. `latest`
    names the newest observation of each scope (its Raw), `open_rows` what must be read again until it is final
    (source id: since when). `full_began_at` is when the last walk over everything began to be read.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="coverage")
    stream = models.CharField(max_length=40)
    cursor = models.JSONField(default=dict)
    spans = models.JSONField(default=list)
    latest = models.JSONField(default=dict)
    open_rows = models.JSONField(default=dict)
    not_offered = models.BooleanField(default=False)
    full_began_at = models.DateTimeField(null=True)
    again_at = models.DateTimeField(null=True)
    """When somebody last asked that this stream be walked again from its newest row to its beginning."""
    hole_from = models.DateTimeField(null=True)
    hole_until = models.DateTimeField(null=True)
    """A stretch that somebody asked to have read again, until a turn has begun with it."""
    read_at = models.DateTimeField(null=True)
    complete_at = models.DateTimeField(null=True)
    """When the last read began that came to the stream's end: nothing older is missing."""

    objects = OwnedQuerySet["Coverage"].as_manager()

    class Meta:
        verbose_name_plural = "coverage"
        constraints = [models.UniqueConstraint(fields=["connection", "stream"], name="coverage_once")]

    def __str__(self) -> str:
        return f"{self.connection} {self.stream}"
