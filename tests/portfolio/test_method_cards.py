"""The worked examples in the documentation are what the engines say."""

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from portfolio.csvfile import plain
from portfolio.lots import Method, read_movements, settle
from portfolio.returns import measure, read_days

DOCS = Path(__file__).resolve().parents[2] / "docs"


def _block(page: str, language: str) -> list[str]:
    found = re.search(rf"```{language}\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
    assert found
    return found[1].splitlines()


@pytest.mark.parametrize("method", list(Method))
def test_the_example_of_gains_is_true(method: Method) -> None:
    disposals = settle(read_movements(_block("gains.md", "csv")), method).disposals
    cost = sum((part.cost for part in disposals), Decimal(0))
    gain = sum((part.gain for part in disposals), Decimal(0))

    assert f"| `{method}` | {plain(cost)} | {plain(gain)} |" in (DOCS / "gains.md").read_text()


def test_the_example_of_returns_is_true() -> None:
    returns = measure(list(read_days(_block("returns.md", "csv"))))

    for name, figure in json.loads("".join(_block("returns.md", "json"))).items():
        assert plain(getattr(returns, name).value) == figure
