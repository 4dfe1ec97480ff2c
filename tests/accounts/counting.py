"""A password hasher that counts how often it is asked."""

from __future__ import annotations

from django.contrib.auth.hashers import MD5PasswordHasher

HASHED: list[str] = []


class CountingHasher(MD5PasswordHasher):
    """Counts every hash that is computed."""

    algorithm = "counting"

    def encode(self, password: str, salt: str) -> str:
        """Hash and count."""
        HASHED.append(salt)
        return super().encode(password, salt)
