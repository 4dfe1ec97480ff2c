"""Users and their connections: who may look, and which key reads which exchange.

Knows nothing of balances or ledgers. Secrets are stored sealed; only `accounts.sealing` opens them.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone

from exchanges.catalog import EXCHANGES, Exchange, exchange

LEASE = timedelta(seconds=45)
"""How long a worker may be silent before its connection is taken up again."""


def new_public_id() -> str:
    """A random name for addresses: it tells nothing and cannot be guessed."""
    return secrets.token_urlsafe(9)


def exchange_choices() -> list[tuple[str, str]]:
    """A callable, so that a new exchange needs no migration."""
    return [(e.name.value, e.label) for e in EXCHANGES.values()]


class UserManager(BaseUserManager["User"]):
    """Makes users known by their e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A user with a normalised address; raises ValueError without one."""
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """The owner: staff with every right."""
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True} | fields)

    def get_by_natural_key(self, username: str | None) -> User:
        """Addresses are the same in upper and lower case."""
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """Someone who may log in; known by the e-mail address."""

    email = models.EmailField(unique=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    is_owner = models.BooleanField(default=False, editable=False)
    """The first visitor, who set this installation up; the database allows one."""
    date_joined = models.DateTimeField(default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_once"),
            models.UniqueConstraint(fields=["is_owner"], condition=Q(is_owner=True), name="user_one_owner"),
        ]

    def __str__(self) -> str:
        return self.email


class State(models.TextChoices):
    """Where a connection stands."""

    CHECKING = "checking", "Checking"
    ACTIVE = "active", "Active"
    PAUSED = "paused", "Paused"
    NEEDS_ATTENTION = "needs_attention", "Needs attention"
    CLOSED = "closed", "Closed"


class ConnectionQuerySet(models.QuerySet["Connection"]):
    """The questions asked of connections; the personal ones start with `for_user`."""

    def for_user(self, user: Any) -> Self:
        """Only what this user may see."""
        return self.filter(user=user)

    def due(self, now: datetime) -> Self:
        """Those being read whose time has come and that nobody holds, the longest waiting first."""
        waiting = self.filter(state__in=(State.ACTIVE, State.CHECKING, State.CLOSED), next_sync_at__lte=now)
        return waiting.free(now).order_by("next_sync_at", "pk")

    def free(self, now: datetime) -> Self:
        """Ones that no living worker holds."""
        return self.filter(Q(lease_until__isnull=True) | Q(lease_until__lt=now))


class Connection(models.Model):
    """One user's link to one exchange account; its key can be replaced without losing history."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="connections")
    exchange = models.CharField(max_length=20, choices=exchange_choices)
    label = models.CharField(max_length=60)
    state = models.CharField(max_length=20, choices=State.choices, default=State.CHECKING)
    reason_code = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=400, blank=True)
    advice = models.CharField(max_length=400, blank=True)

    sealed_key = models.TextField(blank=True, editable=False)
    sealed_secret = models.TextField(blank=True, editable=False)
    fingerprint = models.CharField(max_length=4, blank=True, editable=False)
    key_version = models.CharField(max_length=16, blank=True, editable=False)
    key_set_at = models.DateTimeField(null=True, editable=False)
    facts = models.JSONField(default=dict, blank=True, editable=False)
    warnings = models.JSONField(default=list, blank=True, editable=False)
    nonce = models.BigIntegerField(default=0, editable=False)

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    next_sync_at = models.DateTimeField(default=timezone.now)
    full_walk_at = models.DateTimeField(null=True, blank=True)
    lease_owner = models.CharField(max_length=64, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    synced_at = models.DateTimeField(null=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)
    skew_ms = models.BigIntegerField(null=True, editable=False)
    figures_since = models.DateField(null=True, editable=False)
    """The first day whose proofs and figures are behind the ledger; empty when all of it is told."""
    figures_mark = models.PositiveBigIntegerField(default=0, editable=False)
    """Counts every change of the ledger, so that telling one change never hides the next."""

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "user",
                Lower("label"),
                name="connection_label_once",
                violation_error_message="You have a connection with this label already. Choose another label.",
            ),
            models.CheckConstraint(condition=Q(state__in=State.values), name="connection_state_known"),
            models.CheckConstraint(condition=Q(nonce__gte=0), name="connection_nonce_not_negative"),
            models.CheckConstraint(condition=~Q(label=""), name="connection_has_label"),
            models.CheckConstraint(
                condition=Q(lease_owner="", lease_until__isnull=True)
                | (~Q(lease_owner="") & Q(lease_until__isnull=False)),
                name="connection_lease_whole",
            ),
        ]
        indexes = [models.Index(fields=["state", "next_sync_at"], name="connection_due")]

    def __str__(self) -> str:
        return self.label

    @property
    def known(self) -> Exchange:
        """What the catalog says about its exchange."""
        return exchange(self.exchange)

    @property
    def has_key(self) -> bool:
        """Whether a key is stored (a removed one leaves the history)."""
        return bool(self.sealed_secret)

    def is_leased(self, now: datetime) -> bool:
        """Whether a living worker holds it."""
        return self.lease_until is not None and self.lease_until >= now

    def take_lease(self, owner: str, now: datetime) -> bool:
        """Hold the connection for `owner`; False when another living worker does. One UPDATE settles races."""
        free = Connection.objects.filter(pk=self.pk).free(now)
        return free.update(lease_owner=owner, lease_until=now + LEASE) == 1

    def keep_lease(self, owner: str, now: datetime) -> bool:
        """The holder's heartbeat; False when the lease was lost and work must stop."""
        mine = Connection.objects.filter(pk=self.pk, lease_owner=owner)
        return mine.update(lease_until=now + LEASE) == 1

    def release(self, owner: str) -> None:
        """Give the lease back, if it is still ours."""
        Connection.objects.filter(pk=self.pk, lease_owner=owner).update(lease_owner="", lease_until=None)

    def draw_nonce(self, floor: int) -> int:
        """A nonce above all drawn before and at least `floor`; stored before it is returned."""
        while True:
            last = Connection.objects.values_list("nonce", flat=True).get(pk=self.pk)
            drawn = max(last + 1, floor)
            if Connection.objects.filter(pk=self.pk, nonce=last).update(nonce=drawn):
                return drawn

    def figures_told(self, mark: int) -> None:
        """Proofs and figures are up to date, unless the ledger has moved on since `mark` was read."""
        Connection.objects.filter(pk=self.pk, figures_mark=mark).update(figures_since=None)

    def set_state(self, state: State, *, code: str = "", reason: str = "", advice: str = "") -> None:
        """Write down where it stands and why."""
        self.state, self.reason_code, self.reason, self.advice = state, code, reason[:400], advice[:400]
        self.save(update_fields=["state", "reason_code", "reason", "advice"])

    def bump_failures(self) -> None:
        """Count one more failure in a row."""
        Connection.objects.filter(pk=self.pk).update(failures=F("failures") + 1)
