"""How each host that is asked for anything behaves, as all processes together have seen it: no host, no row."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import F, Q

PROBE = timedelta(seconds=60)
"""So long one call may try a host that was left alone, before another one may: longer than a call can take."""
FURTHEST = timedelta(minutes=25)
"""A rest that would last longer than any was noted by a clock that has been set back since."""


class HostQuerySet(models.QuerySet["Host"]):
    """What is asked of hosts and written down about them: each one statement, so that races are settled."""

    def named(self, name: str) -> Self:
        """One host, by its origin."""
        return self.filter(name=name)

    def unwell(self) -> Self:
        """Those that have failed since they last answered."""
        return self.exclude(points=0)

    def take_probe(self, now: datetime) -> bool:
        """Be the one who tries a host again after its rest."""
        free = self.filter(
            Q(probe_until__isnull=True) | Q(probe_until__lt=now) | Q(probe_until__gt=now + PROBE)
        )
        return free.update(probe_until=now + PROBE) == 1

    def blame(self, points: int, error: str, now: datetime, *, unresolved: bool) -> None:
        """Count a failure."""
        self.update(points=F("points") + points, error=error[:400], failed_at=now, unresolved=unresolved)

    def open(self, seen: int, until: datetime) -> bool:
        """Leave it alone until then, unless somebody saw to it since it had been left alone `seen` times."""
        still = self.filter(openings=seen)
        return still.update(openings=seen + 1, rest_until=until, probe_until=None) == 1

    def clear(self) -> None:
        """It answers."""
        self.update(points=0, openings=0, rest_until=None, probe_until=None, error="", unresolved=False)


class Host(models.Model):
    """One host that did not answer at some time."""

    name = models.CharField(max_length=300, unique=True)
    """Its origin: scheme, name and port."""
    points = models.PositiveIntegerField(default=0)
    """How much it failed since it last answered."""
    openings = models.PositiveIntegerField(default=0)
    """How often in a row it has been left alone."""
    rest_until = models.DateTimeField(null=True, blank=True)
    probe_until = models.DateTimeField(null=True, blank=True)
    """Until when one call may take to try it."""
    failed_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=400, blank=True)
    unresolved = models.BooleanField(default=False)
    """Whether its name was not known on the network when it failed last."""

    objects = HostQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(name=""), name="host_has_name")]

    def __str__(self) -> str:
        return self.name

    def rests(self, now: datetime) -> bool:
        """Whether no call may be made to it now."""
        return self.rest_until is not None and now < self.rest_until <= now + FURTHEST
