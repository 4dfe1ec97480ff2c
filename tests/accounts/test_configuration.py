"""Every variable that the settings read is in the documentation, and the documentation names no other."""

from __future__ import annotations

import re
from pathlib import Path

from exchanges.catalog import EXCHANGES

ROOT = Path(__file__).resolve().parent.parent.parent


def read_by_the_code() -> set[str]:
    """What the settings ask for, the exchanges' hosts, and what `serve` takes from the environment itself."""
    settings = (ROOT / "portfolio" / "settings.py").read_text()
    serve = (ROOT / "portfolio" / "management" / "commands" / "serve.py").read_text()
    asked = re.findall(r'\benv\.\w+\(\s*"([A-Z_]+)"', settings)
    asked += re.findall(r'environ\.get\(\s*"([A-Z_]+)"', settings + serve)
    return {*asked, *(known.url_setting for known in EXCHANGES.values())}


def test_every_variable_is_documented_and_every_documented_one_is_read() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", page, flags=re.MULTILINE))
    assert len(documented) > 15
    assert documented == read_by_the_code()
