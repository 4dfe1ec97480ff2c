"""`manage.py returns` on files: good ones, bad ones, and standard input."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

ROOT = Path(__file__).resolve().parents[3]
HEADER = "date,value_usd,flow_usd\n"


def returns(path: Path, rows: str) -> dict[str, Any]:
    """What the command prints for these rows."""
    path.write_text(HEADER + rows)
    out = io.StringIO()
    call_command("returns", "--from-csv", str(path), stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def test_one_object_of_decimal_strings(tmp_path: Path) -> None:
    answer = returns(tmp_path / "days.csv", "2021-01-01,100,100\n2021-01-02,110,\n2021-12-31,110,0\n")

    assert answer == {
        "twr": "0.1",
        "xirr": "0.1",
        "simple": "0.1",
        "max_drawdown": "0",
        "volatility": None,
        "volatility_reason": "Between 2021-01-02 and 2021-12-31 the daily values are missing.",
    }


def test_figures_have_twelve_decimals(tmp_path: Path) -> None:
    answer = returns(tmp_path / "days.csv", "2021-01-01,3,3\n2021-01-02,2,\n2021-01-03,4,-1\n")

    assert answer["twr"] == "0.666666666667"
    assert answer["max_drawdown"] == "-0.333333333333"
    assert answer["volatility"] == "12.93654798948"


def test_a_missing_boundary_value_is_null_with_its_reason(tmp_path: Path) -> None:
    answer = returns(tmp_path / "days.csv", "2021-01-01,100,100\n2021-01-02,,\n")

    reason = "The value on the last day, 2021-01-02, is missing."
    for name in ("twr", "xirr", "simple", "max_drawdown", "volatility"):
        assert (answer[name], answer[f"{name}_reason"]) == (None, reason)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("2021-01-01,1,1", "Line 3: the date is not after that of the row above"),
        ("2020-12-31,1,1", "Line 3: the date is not after that of the row above"),
        ("2021-1-2,1,1", "Line 3: the date '2021-1-2' is not like 2024-05-01."),
        ("9999-12-31,1,1", "Line 3: the date '9999-12-31' is not between the years"),
        ("2021-01-02,a,1", "Line 3: the value_usd 'a' is not a number."),
        ("2021-01-02,1,inf", "Line 3: the flow_usd 'inf' is not a number."),
        ("2021-01-02,1", "Line 3: the number of cells is 2, in the header 3."),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, row: str, sentence: str) -> None:
    with pytest.raises(CommandError, match=r"^Line 3") as raised:
        returns(tmp_path / "days.csv", f"2021-01-01,1,1\n{row}\n")

    assert str(raised.value).startswith(sentence)


def test_the_command_needs_no_database_and_reads_standard_input() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "returns", "--from-csv", "-"],
        input=HEADER + "2021-01-01,110,100\n",
        capture_output=True,
        text=True,
        env=os.environ | {"DATA_DIR": "/dev/null/nowhere"},
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["twr"] == "0.1"
