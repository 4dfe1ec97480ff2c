"""The keys of an invented user: fixed per seed, so that a demo and its tests know them without asking."""

from __future__ import annotations

from hashlib import sha256


def keys(seed: str) -> dict[str, tuple[str, str]]:
    """Key and secret by exchange."""

    def text(exchange: str, what: str, length: int) -> str:
        return sha256(f"{seed}/{exchange}/{what}".encode()).hexdigest()[:length]

    return {
        name: (f"{prefix}{text(name, 'key', length)}", text(name, "secret", 64))
        for name, prefix, length in (("btse", "", 64), ("tether", "tk-", 32), ("tokens_net", "", 32))
    }
