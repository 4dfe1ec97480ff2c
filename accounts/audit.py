"""Which changes are written to the audit log: who changed which connection or user, never a secret.

What a sync moves (nonce, lease, times) is left out, so that one action of a person is one row.
"""

from __future__ import annotations

from auditlog.models import LogEntry
from auditlog.registry import auditlog

from accounts.models import Connection, User

auditlog.register(
    Connection,
    include_fields=[
        "user",
        "exchange",
        "label",
        "state",
        "reason_code",
        "fingerprint",
        "key_version",
        "key_set_at",
    ],
)
auditlog.register(User, include_fields=["email", "is_active", "is_staff", "is_superuser", "is_owner"])


def note_resealed(connection: Connection, version: str) -> None:
    """One row for a key sealed again; written by hand because resealing is a conditional UPDATE."""
    changes = {"key_version": [connection.key_version, version]}
    LogEntry.objects.log_create(connection, action=LogEntry.Action.UPDATE, changes=changes)
