"""Moves what is sealed to the newest vault key, in batches that may be interrupted at any point, and counts per key.

Knows the sealed texts of connections and of second factors; opens them only to seal them again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import Q
from django.views.decorators.debug import sensitive_variables

from accounts.adapter import FACTOR
from accounts.keys import reseal_key, sealed_under, vault
from accounts.models import Connection
from accounts.sealing import VERSION, SealError, key_id_of

BATCH = 500
FACTOR_FIELDS = ("secret", "seed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """How many rows were sealed again, and which do not open."""

    moved: int
    stuck: tuple[str, ...]


def rows_per_key() -> Counter[str]:
    """Vault key id -> how many rows need it."""
    counted: Counter[str] = Counter()
    for connection in Connection.objects.exclude(sealed_secret="").iterator():
        counted.update(sealed_under(connection))
    for factor in Authenticator.objects.iterator():
        counted.update({key_id_of(token) for token in _tokens(factor.data)})
    return counted


def rotate(batch: int = BATCH) -> Rotated:
    """Seal everything under the newest key; what is there already is passed over, so it can be run again."""
    moved, stuck = 0, list[str]()
    for connections in _batches(_old_connections(), batch):
        with transaction.atomic():
            for connection in connections:
                try:
                    moved += reseal_key(connection)
                except SealError as error:
                    stuck.append(f"connection {connection.public_id} of {connection.user}: {error}")
    for factors in _batches(Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN), batch):
        with transaction.atomic():
            for factor in Authenticator.objects.select_for_update().filter(pk__in=[f.pk for f in factors]):
                try:
                    moved += _reseal_factor(factor)
                except SealError as error:
                    stuck.append(f"second factor of {factor.user}: {error}")
    return Rotated(moved=moved, stuck=tuple(stuck))


def _old_connections() -> Any:
    newest = f"{VERSION}.{vault().newest}."
    fresh = Q(sealed_key__startswith=newest, sealed_secret__startswith=newest)
    return Connection.objects.exclude(sealed_secret="").exclude(fresh).select_related("user")


def _batches(rows: Any, size: int) -> Iterator[list[Any]]:
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk")[:size]):
        last = batch[-1].pk
        yield batch


def _tokens(data: dict[str, Any]) -> list[str]:
    return [*(data[name] for name in FACTOR_FIELDS if name in data), *data.get("migrated_codes", [])]


@sensitive_variables()
def _reseal_factor(factor: Authenticator) -> bool:
    newest = vault().newest
    if all(key_id_of(token) == newest for token in _tokens(factor.data)):
        return False
    for name in FACTOR_FIELDS:
        if name in factor.data:
            factor.data[name] = vault().reseal(factor.data[name], FACTOR)
    if "migrated_codes" in factor.data:
        factor.data["migrated_codes"] = [
            vault().reseal(code, FACTOR) for code in factor.data["migrated_codes"]
        ]
    factor.save(update_fields=["data"])
    return True
