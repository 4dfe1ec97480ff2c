"""One command serves three exchanges, tells their keys, and ends when asked."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from exchanges.sandbox import keys
from exchanges.sandbox.__main__ import clock, main, opening
from exchanges.sandbox.server import exchanges
from exchanges.sandbox.world import World, utc_now
from tests.exchanges.sandbox.asking import NOW, ask, btse_headers

WALLET = "/spot/api/v3.2/user/wallet"


def test_the_keys_of_a_seed_open_its_world() -> None:
    apps = exchanges(World("demo", now=lambda: NOW), btse={"pace": None})
    key, secret = keys("demo")["btse"]
    headers = btse_headers(WALLET, int(NOW.timestamp() * 1000), key=key, secret=secret)
    assert ask(apps["btse"], WALLET, headers=headers).status_code == 200


def test_another_users_key_opens_another_world() -> None:
    app = exchanges(World("alice", now=lambda: NOW))["btse"]
    bob = World("bob", now=lambda: NOW)
    app.admit("bobs", "secret", world=bob)
    headers = btse_headers(WALLET, int(NOW.timestamp() * 1000), key="bobs", secret="secret")
    told = {row["currency"]: row["total"] for row in ask(app, WALLET, headers=headers).json()}
    assert told["EUR"] == float(bob.btse.balances()["EUR"].total)


def test_a_revoked_key_is_refused() -> None:
    app = exchanges(World("alice", now=lambda: NOW, empty=True))["btse"]
    key, secret = keys("alice")["btse"]
    app.revoke(key)
    headers = btse_headers(WALLET, int(NOW.timestamp() * 1000), key=key, secret=secret)
    assert ask(app, WALLET, headers=headers).status_code == 401


def test_a_restart_goes_on_with_the_same_life(tmp_path: Path) -> None:
    state = tmp_path / "deep" / "state.json"
    first = opening(state, "demo")
    assert opening(state, "demo") == first
    assert opening(None, "demo") >= first


def test_time_can_hurry() -> None:
    hurried = clock(100_000)
    before = utc_now()
    while (now := utc_now()) == before:
        pass  # until time has passed at all
    assert hurried() - before >= 100_000 * (now - before)


def test_keys_are_printed_for_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--print-keys", "--seed", "s"]) == 0
    assert json.loads(capsys.readouterr().out)["tether"]["key"] == keys("s")["tether"][0]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_it_is_told_to_stop(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "exchanges.sandbox", "--port-base", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline()).keys() == {"btse", "tether", "tokens_net"}
        process.send_signal(number)
        assert process.wait(timeout=120) == 0
