"""`manage.py gains` on files: good ones, bad ones, and standard input."""

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
HEADER = "time,account,to_account,kind,asset,quantity,value_usd,fee_usd\n"
ROWS = """\
2020-01-01T00:00:00Z,A,,buy,BTC,2,200,1
2020-06-01T00:00:00Z,A,B,transfer,BTC,1,,
2021-02-01T12:00:00Z,B,,sell,BTC,0.5,500,2.5
2021-03-01T12:00:00+02:00,A,,spend,BTC,1E-1,90,0
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A good file of four rows."""
    path = tmp_path / "moves.csv"
    path.write_text(HEADER + ROWS)
    return path


def gains(path: Path, *options: str, method: str = "fifo") -> tuple[list[dict[str, Any]], str]:
    """The printed lines, and what went to stderr."""
    out, err = io.StringIO(), io.StringIO()
    call_command("gains", "--from-csv", str(path), "--method", method, *options, stdout=out, stderr=err)
    return [json.loads(line) for line in out.getvalue().splitlines()], err.getvalue()


def test_each_disposed_part_is_one_line(file: Path) -> None:
    lines, warnings = gains(file)

    assert warnings == ""
    assert lines[0] == {
        "asset": "BTC",
        "account": "B",
        "acquired": "2020-01-01T00:00:00Z",
        "disposed": "2021-02-01T12:00:00Z",
        "quantity": "0.5",
        "proceeds_usd": "497.5",
        "cost_usd": "50.25",
        "gain_usd": "447.25",
    }
    assert (lines[1]["disposed"], lines[1]["quantity"]) == ("2021-03-01T10:00:00Z", "0.1")


def test_the_summary_has_a_line_for_each_asset_and_year(file: Path) -> None:
    lines, _ = gains(file, "--summary")

    assert lines == [
        {
            "asset": "BTC",
            "year": 2021,
            "quantity": "0.6",
            "proceeds_usd": "587.5",
            "cost_usd": "60.3",
            "gain_usd": "527.2",
        }
    ]


def test_a_pool_has_no_date(file: Path) -> None:
    lines, _ = gains(file, method="average")

    assert {line["acquired"] for line in lines} == {None}


def test_selling_more_than_is_held_is_said_on_stderr(tmp_path: Path) -> None:
    path = tmp_path / "short.csv"
    path.write_text(HEADER + "2020-01-01T00:00:00Z,A,,sell,BTC,0.00000001,1,0\n")
    lines, warnings = gains(path)

    assert [(line["acquired"], line["cost_usd"]) for line in lines] == [(None, "0")]
    assert "takes 0.00000001 BTC more than was held in A" in warnings


def test_a_long_answer_has_no_line_more_and_none_broken(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text(HEADER + "2020-01-01,A,,sell,BTC,1,1,0\n" * 10_001)
    lines, _ = gains(path)

    assert len(lines) == 10_001
    assert {line["gain_usd"] for line in lines} == {"1"}


def test_hostile_names_stay_inside_their_strings(tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_text(HEADER + '2020-01-01,"a"",""b",,sell,"B\nC",1,1,0\n')

    lines, _ = gains(path)

    assert (lines[0]["account"], lines[0]["asset"]) == ('a","b', "B\nC")


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("2020-01-02,A,,swap,BTC,1,1,0", "Line 3: the kind 'swap' is not one of"),
        ("2020-01-02,A,,buy,BTC,x,1,0", "Line 3: the quantity 'x' is not a number."),
        ("2020-01-02,A,,buy,BTC,1_0,1,0", "Line 3: the quantity '1_0' is not a number."),
        ("2020-01-02,A,,buy,BTC,NaN,1,0", "Line 3: the quantity 'NaN' is not a number."),
        ("2020-01-02,A,,buy,BTC,1.2.3,1,0", "Line 3: the quantity '1.2.3' is not a number."),
        ("2020-01-02,A,,buy,BTC,0,1,0", "Line 3: the quantity '0' is not above zero."),
        ("2020-01-02,A,,buy,BTC,-1,1,0", "Line 3: the quantity '-1' is not above zero."),
        ("2020-01-02,A,,buy,BTC,1e400,1,0", "Line 3: the quantity '1e400' has more than 24 digits"),
        ("2020-01-02,A,,buy,BTC,1,-1,0", "Line 3: the value_usd '-1' is below zero."),
        ("2020-01-02,A,,buy,BTC,1,,0", "Line 3: the value_usd is missing."),
        ("2020-01-02,A,,buy,,1,1,0", "Line 3: the asset is missing."),
        ("2020-01-02,A,,transfer,BTC,1,1,0", "Line 3: a transfer needs a to_account."),
        ("2020-01-02,A,,buy,BTC,1,1", "Line 3: the number of cells is 7, in the header 8."),
        ("yesterday,A,,buy,BTC,1,1,0", "Line 3: the time 'yesterday' is not ISO 8601"),
        ("9999-12-31,A,,buy,BTC,1,1,0", "Line 3: the time '9999-12-31' is not between the years"),
        ("2019-12-31,A,,buy,BTC,1,1,0", "Line 3: the time is before that of the row above"),
        ('2020-01-02,A,,buy,"BTC,1,1,0', "Line 3 is not valid CSV"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_printed(tmp_path: Path, row: str, sentence: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(HEADER + "2020-01-01,A,,sell,BTC,1,1,0\n" + row + "\n")
    out = io.StringIO()

    with pytest.raises(CommandError) as raised:
        call_command("gains", "--from-csv", str(path), "--method", "fifo", stdout=out)

    assert str(raised.value).startswith(sentence)
    assert out.getvalue() == ""


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b"time,account\n", "Line 1: the column to_account is missing"),
        (HEADER.encode() + b"2020-01-01,\xff,,buy,BTC,1,1,0\n", "The file is not UTF-8 text"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content)

    with pytest.raises(CommandError, match=f"^{sentence}"):
        gains(path)


def test_an_unknown_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"missing\.csv' cannot be read: No such file or directory\.$"):
        gains(tmp_path / "missing.csv")


def _run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    # An impossible data folder proves that neither settings nor database are looked at.
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        env=os.environ | {"DATA_DIR": "/dev/null/nowhere"},
        check=False,
    )


def test_the_command_needs_no_database_and_reads_standard_input() -> None:
    done = _run("gains", "--from-csv", "-", "--method", "uk", "--per-account", stdin=HEADER + ROWS)

    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 2


def test_a_bad_file_ends_with_one_sentence_and_exit_code_one() -> None:
    done = _run("gains", "--from-csv", "-", "--method", "fifo", stdin=HEADER + "x\n")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "CommandError: Line 2: the number of cells is 1, in the header 8.\n"
