"""Writes docs/tour.md: one line for each module, taken from the first sentence of its docstring. `make tour` runs it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("exchanges", "accounts", "portfolio", "deploy", "benchmarks")
HEAD = """# A tour of the code

> An exchange **speaks** (`fetch`). We **keep** what was said (`raw`). We agree what it **means** (`normalise`). We
> **write it down** (`ledger`, `balances`). We **prove** it (`proofs`). We **price** it (`rates`). We **value** it
> (`valuation`). We **draw** it (`charts`). We **show** it (`views`).

Data moves one way; imports run only against that stream, kept by the contracts in `pyproject.toml`. Pages read what
is stored: no page ever waits for an exchange. This page is written by `make tour` from the modules themselves.
"""


def modules() -> list[Path]:
    """Every module of the product, migrations and empty packages apart."""
    found = (path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
    ordered = sorted(
        found, key=lambda path: (PACKAGES.index(path.relative_to(ROOT).parts[0]), path.parent, path.name)
    )
    return [path.relative_to(ROOT) for path in ordered if "migrations" not in path.parts]


def sentence(path: Path) -> str:
    """The first sentence of its docstring."""
    text = ast.get_docstring(ast.parse((ROOT / path).read_text())) or ""
    first = re.split(r"(?<=[.!?])\s", " ".join(text.split("\n\n")[0].split()), maxsplit=1)[0]
    return first.rstrip(".").replace("|", "\\|")


def tour() -> str:
    """The whole page."""
    lines, folder = [HEAD], None
    for path in modules():
        if path.parent != folder:
            folder = path.parent
            lines.append(f"\n## `{folder}/`\n\n| module | what it answers |\n|---|---|")
        lines.append(f"| `{path.name}` | {sentence(path)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (ROOT / "docs" / "tour.md").write_text(tour())
