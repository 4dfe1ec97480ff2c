"""Seals what exchanges lent us: Fernet under a key derived for each record and field.

The only importer of cryptography. A token moved to another row, field or user does not open. Each token names the
vault key it was sealed with, for rotation. Knows no model.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION = "v1"


class SealError(Exception):
    """A sealed text does not open: wrong vault keys, or it belongs to another record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """To which record and field a secret belongs."""

    user_id: int
    connection: str
    field: str

    @property
    def info(self) -> bytes:
        """The HKDF context: unambiguous, since no part holds a zero byte."""
        return "\0".join(("holdfast", VERSION, str(self.user_id), self.connection, self.field)).encode()


class Vault:
    """Seals with the newest of the given Fernet keys and opens with any of them."""

    def __init__(self, keys: Sequence[str]) -> None:
        """`keys`: URL-safe base64 of 32 bytes each, newest first."""
        self._keys = {key_id(key): base64.urlsafe_b64decode(key) for key in keys}
        self.newest = key_id(keys[0])

    def __repr__(self) -> str:
        return f"Vault(newest={self.newest})"

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Names of the keys at hand, newest first; they tell nothing about the keys."""
        return tuple(self._keys)

    def seal(self, secret: str, context: Context) -> str:
        """A token `v1.<key id>.<fernet>` that opens only in the same context."""
        token = self._fernet(self.newest, context).encrypt(secret.encode())
        return f"{VERSION}.{self.newest}.{token.decode()}"

    def open(self, token: str, context: Context) -> str:
        """The secret; raises SealError."""
        version, _, rest = token.partition(".")
        name, _, sealed = rest.partition(".")
        if version != VERSION or name not in self._keys:
            raise SealError("The key that sealed this secret is not among VAULT_KEYS.")
        try:
            return self._fernet(name, context).decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise SealError(
                "The stored secret does not belong to this connection, or was changed."
            ) from error

    def reseal(self, token: str, context: Context) -> str:
        """The same secret under the newest key; raises SealError."""
        return self.seal(self.open(token, context), context)

    def _fernet(self, name: str, context: Context) -> Fernet:
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=context.info).derive(self._keys[name])
        return Fernet(base64.urlsafe_b64encode(derived))


def key_id(key: str) -> str:
    """A short name for a vault key, safe to show."""
    return hashlib.sha256(b"holdfast vault key id\0" + key.encode()).hexdigest()[:8]


def key_id_of(token: str) -> str:
    """Which vault key sealed this token."""
    return token.split(".", 2)[1] if token.count(".") >= 2 else ""
