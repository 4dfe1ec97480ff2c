"""Users and their connections: who may look, and which key reads which exchange.

Knows nothing of balances or ledgers. Secrets are stored sealed; only `accounts.sealing` opens them.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import IntegrityError, models
from django.db.models import Exists, F, Q, Value
from django.db.models.functions import Coalesce, Least, Lower
from django.utils import timezone

from exchanges.catalog import EXCHANGES, OWN_ACCOUNT, Exchange, ExchangeName, exchange

LEASE = timedelta(seconds=45)
"""How long a worker may be silent before its connection is taken up again."""
PACING = "?"
"""Somebody is calling, or was killed while he did."""
FREE: Mapping[str, Any] = MappingProxyType({"lease_owner": "", "lease_until": None, "leased_key": None})
"""What stands in a connection that nobody holds."""


def new_public_id() -> str:
    """A random name for addresses: it tells nothing and cannot be guessed."""
    return secrets.token_urlsafe(9)


def exchange_choices() -> list[tuple[str, str]]:
    """A callable, so that a new exchange needs no migration."""
    return [(e.name.value, e.label) for e in (*EXCHANGES.values(), OWN_ACCOUNT)]


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

    def own(self) -> Self:
        """Accounts whose ledger their owner writes."""
        return self.filter(exchange=ExchangeName.OWN)

    def at_exchanges(self) -> Self:
        """Accounts that an exchange answers for."""
        return self.exclude(exchange=ExchangeName.OWN)

    def fall_behind(self, day: date) -> None:
        """Note that proofs and figures are to be told again from a day on."""
        since = Value(day, output_field=models.DateField())
        self.update(
            figures_since=Least(Coalesce("figures_since", since), since), figures_mark=F("figures_mark") + 1
        )

    def free(self, now: datetime) -> Self:
        """Ones that no living worker holds."""
        return self.filter(Q(lease_until__isnull=True) | Q(lease_until__lt=now))

    def held_by(self, owner: str) -> Self:
        """Ones on which `owner` may work: nobody took them over or paused them."""
        return self.filter(lease_owner=owner).exclude(state=State.PAUSED)


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
    key_digest = models.CharField(max_length=64, blank=True, editable=False)
    """The same for two connections of one exchange that hold the same key, and tells nothing of it."""
    paced = models.CharField(max_length=600, blank=True, editable=False)
    """When the last calls were made (seconds since 1970), for whoever calls next; PACING while somebody calls."""
    quiet_until = models.DateTimeField(null=True, editable=False)
    """Until when the exchange asked not to be called with this key."""

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    next_sync_at = models.DateTimeField(default=timezone.now)
    full_walk_at = models.DateTimeField(null=True, blank=True)
    lease_owner = models.CharField(max_length=64, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    leased_key = models.CharField(max_length=90, null=True, unique=True, editable=False)  # noqa: DJ001
    """The key that the holder calls with: however many connections hold it, one turn at a time uses it."""
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
        return OWN_ACCOUNT if self.is_own else exchange(self.exchange)

    @property
    def is_own(self) -> bool:
        """Whether its owner writes its ledger, and no exchange."""
        return self.exchange == ExchangeName.OWN

    @property
    def has_key(self) -> bool:
        """Whether a key is stored (a removed one leaves the history)."""
        return bool(self.sealed_secret)

    def is_leased(self, now: datetime) -> bool:
        """Whether a living worker holds it."""
        return self.lease_until is not None and self.lease_until >= now

    def take_lease(self, owner: str, now: datetime, *, calls: bool = True) -> bool:
        """Hold the connection for `owner`, and its key where he `calls` with it; False when another worker does.

        One UPDATE settles races: also with whoever read, since this row was loaded, and left other times of calls.
        """
        key = f"{self.exchange}:{self.key_digest}" if self.key_digest else f"#{self.pk}"
        free = Connection.objects.filter(pk=self.pk).free(now)
        held: dict[str, Any] = {"lease_owner": owner, "lease_until": now + LEASE, "leased_key": None}
        if calls:
            free = free.filter(paced=self.paced).exclude(
                Exists(Connection.objects.filter(leased_key=key).exclude(pk=self.pk))
            )
            held |= {"leased_key": key, "paced": PACING}
        try:
            return free.update(**held) == 1
        except IntegrityError:
            return False

    def keep_lease(self, owner: str, now: datetime) -> bool:
        """The holder's heartbeat; False when the lease was lost and work must stop."""
        mine = Connection.objects.filter(pk=self.pk, lease_owner=owner)
        return mine.update(lease_until=now + LEASE) == 1

    def release(self, owner: str, paced: str | None = None) -> None:
        """Give the lease back, if it is still ours; `paced` says when its last calls were made, where that is known."""
        told = {} if paced is None else {"paced": paced}
        Connection.objects.filter(pk=self.pk, lease_owner=owner).update(**FREE, **told)

    def draw_nonce(self, floor: int, holder: str = "") -> int:
        """A nonce above all drawn before and at least `floor`; stored before it is returned.

        With `holder` raises DoesNotExist where that one may not work on it any more.
        """
        mine = Connection.objects.filter(pk=self.pk)
        mine = mine.held_by(holder) if holder else mine
        while True:
            drawn = max(self.nonce + 1, floor)
            if mine.filter(nonce=self.nonce).update(nonce=drawn):
                self.nonce = drawn
                return drawn
            # Somebody else has drawn since this row was read.
            self.nonce = mine.values_list("nonce", flat=True).get()

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
