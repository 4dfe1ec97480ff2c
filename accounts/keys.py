"""A connection's key and secret: how they are put away sealed, taken out for one use, and forgotten.

Knows no exchange and no ledger. What is opened here must not be kept, logged or passed on as an argument of a task.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.views.decorators.debug import sensitive_variables

from accounts.audit import note_resealed
from accounts.models import Connection
from accounts.sealing import Context, Vault, key_id_of

KEY_FIELDS = (
    *("sealed_key", "sealed_secret", "fingerprint", "key_version", "key_set_at"),
    *("key_digest", "quiet_until"),
)
LONGEST = 500


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Credentials:
    """An opened key and secret; shows neither when printed and refuses to be pickled."""

    key: str
    secret: str

    def __repr__(self) -> str:
        return "Credentials(key=…, secret=…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("Credentials are not to be stored or sent.")


def vault() -> Vault:
    """The vault of the keys in the settings."""
    return _vault(tuple(settings.VAULT_KEYS))


@lru_cache(maxsize=4)
def _vault(keys: tuple[str, ...]) -> Vault:
    return Vault(keys)


@sensitive_variables()
def store_key(connection: Connection, key: str, secret: str) -> None:
    """Seal both for this connection, and save them if it is stored already; raises ValueError for unusable text.

    Sets what tells keys apart too (KEY_FIELDS), and touches no other field.
    """
    seal_onto(connection, key, secret)
    _save(connection)


@sensitive_variables()
def seal_onto(connection: Connection, key: str, secret: str) -> None:
    """As store_key, but the caller saves the fields (KEY_FIELDS) together with others of its own."""
    key, secret = usable(key, "key"), usable(secret, "secret")
    connection.sealed_key = vault().seal(key, context_of(connection, "key"))
    connection.sealed_secret = vault().seal(secret, context_of(connection, "secret"))
    connection.fingerprint = key[-4:]
    digest = digest_of(connection.exchange, key)
    if digest != connection.key_digest:  # what the exchange asked for was asked of the other key
        connection.key_digest, connection.quiet_until = digest, None
    connection.key_version = vault().newest
    connection.key_set_at = timezone.now()


@sensitive_variables()
def open_key(connection: Connection) -> Credentials:
    """The key and secret for one use; raises SealError when they do not open here."""
    return Credentials(
        key=vault().open(connection.sealed_key, context_of(connection, "key")),
        secret=vault().open(connection.sealed_secret, context_of(connection, "secret")),
    )


@sensitive_variables()
def digest_of(exchange: str, key: str) -> str:
    """What two connections with the same key have in common; without SECRET_KEY no guess can be tried against it."""
    return salted_hmac("accounts.keys", f"{exchange}:{key}", algorithm="sha256").hexdigest()


@sensitive_variables()
def note_digest(connection: Connection, key: str) -> None:
    """Let a connection that is older than digests, or than the SECRET_KEY of today, be known by its key."""
    digest = digest_of(connection.exchange, key)
    if digest != connection.key_digest:
        connection.key_digest = digest
        Connection.objects.filter(pk=connection.pk).update(key_digest=digest)


def forget_key(connection: Connection) -> None:
    """Delete the sealed key and secret; the history stays."""
    connection.sealed_key = connection.sealed_secret = ""
    connection.fingerprint = connection.key_version = connection.key_digest = ""
    connection.key_set_at = None
    _save(connection)


@sensitive_variables()
def reseal_key(connection: Connection) -> bool:
    """Seal the same key under the newest vault key; False when it was replaced meanwhile. Raises SealError."""
    before = {"sealed_key": connection.sealed_key, "sealed_secret": connection.sealed_secret}
    after = {
        "sealed_key": vault().reseal(connection.sealed_key, context_of(connection, "key")),
        "sealed_secret": vault().reseal(connection.sealed_secret, context_of(connection, "secret")),
        "key_version": vault().newest,
    }
    with transaction.atomic():
        done = Connection.objects.filter(pk=connection.pk, **before).update(**after) == 1
        if done:
            note_resealed(connection, after["key_version"])
    return done


def sealed_under(connection: Connection) -> set[str]:
    """Names of the vault keys that this connection's tokens need."""
    return {key_id_of(token) for token in (connection.sealed_key, connection.sealed_secret) if token}


def context_of(connection: Connection, field: str) -> Context:
    """To what a token of this connection is bound."""
    return Context(user_id=connection.user_id, connection=connection.public_id, field=field)


def _save(connection: Connection) -> None:
    if connection.pk is not None:
        connection.save(update_fields=KEY_FIELDS)


@sensitive_variables()
def usable(text: str, name: str) -> str:
    """The text without blanks around it; raises ValueError when it cannot be a key or secret."""
    text = text.strip()
    if not text or len(text) > LONGEST or not (text.isascii() and text.isprintable()):
        raise ValueError(
            f"The {name} must be 1 to {LONGEST} plain characters. Copy it again from the exchange's page."
        )
    return text
