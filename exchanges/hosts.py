"""Which hosts may be asked: those in the deployment's settings, over https, never one of a private network.

Pure.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from exchanges.errors import Refused


def origin(base_url: str) -> str:
    """Scheme, host and port of a base address; Refused unless https, or http on this computer."""
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Refused("The exchange's address in the settings is not an address.") from None
    extra = parts.username is not None or parts.query or parts.fragment or parts.path not in {"", "/"}
    local, outside = _place(host)
    if (
        extra
        or not host
        or not outside
        or not (parts.scheme == "https" or (parts.scheme == "http" and local))
    ):
        raise Refused(
            "The exchange's address in the settings must be https with a host name and nothing after it "
            "(http only on this computer)."
        )
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port else "")


def _place(host: str) -> tuple[bool, bool]:
    """Whether a host is this computer, and whether it may be asked at all (no address of a private network)."""
    if host == "localhost":
        return True, True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False, bool(re.fullmatch(r"[a-z0-9.-]+\.[a-z][a-z0-9-]*", host))
    return address.is_loopback, address.is_loopback or address.is_global
