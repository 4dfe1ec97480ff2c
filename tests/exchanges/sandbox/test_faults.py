"""Each fault does what its name says, in-process and on a socket."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import timedelta

import httpx2
import pytest

from exchanges.sandbox.btse import Btse
from exchanges.sandbox.faults import Fault, Faults, Reset
from exchanges.sandbox.server import Serving
from exchanges.sandbox.world import World
from tests.exchanges.sandbox.asking import KEY, NOW, SECRET, Asker, ask

HISTORY = "/spot/api/v3.2/user/wallet_history"
TIME = "/spot/api/v3.2/time"


@pytest.fixture
def app() -> Btse:
    world = World(now=lambda: NOW, empty=True)
    for minute in range(40):
        world.btse.add("Deposit", "USDT", "1.5", at=NOW - timedelta(minutes=minute))
    return Btse(world, key=KEY, secret=SECRET, pace=None)


def faulty(app: Btse, fault: Fault) -> Asker:
    """One fault for the next request, after which all is well."""
    faults = Faults(app, now=lambda: NOW, seed="s", huge=200_000, drip=0)
    faults.plan(fault)
    return Asker(faults, "btse")


@pytest.mark.parametrize(
    ("fault", "status", "wait"),
    [
        (Fault.RATE_LIMITED, 429, None),
        (Fault.RATE_LIMITED_SECONDS, 429, "2"),
        (Fault.RATE_LIMITED_EPOCH, 429, str(int(NOW.timestamp()) + 2)),
        (Fault.SERVER_ERROR, 500, None),
        (Fault.MAINTENANCE, 503, None),
    ],
)
def test_refusals_come_once_and_then_all_is_well(
    app: Btse, fault: Fault, status: int, wait: str | None
) -> None:
    asker = faulty(app, fault)
    first = asker(HISTORY)
    assert (first.status_code, first.headers.get("Retry-After"), len(app.log)) == (status, wait, 0)
    assert asker(HISTORY).status_code == 200


@pytest.mark.parametrize(("fault", "processed"), [(Fault.RESET_BEFORE, 0), (Fault.RESET_AFTER, 1)])
def test_a_reset_comes_before_or_after_the_request_was_processed(
    app: Btse, fault: Fault, processed: int
) -> None:
    with pytest.raises(Reset):
        faulty(app, fault)(HISTORY)
    assert len(app.log) == processed


def test_a_reset_can_be_the_clients_own_exception(app: Btse) -> None:
    faults = Faults(app, reset=httpx2.ReadError)
    faults.plan(Fault.RESET_BEFORE)
    with pytest.raises(httpx2.ReadError):
        ask(faults, TIME)


def test_rows_come_twice_reordered_or_not_at_all(app: Btse) -> None:
    honest = [row["orderId"] for row in Asker(app, "btse")(HISTORY).json()]

    def ids(fault: Fault) -> list[str]:
        asker = faulty(app, fault)
        asker.nonce += len(app.log) + 1
        return [row["orderId"] for row in asker(HISTORY).json()]

    assert sorted(ids(Fault.DUPLICATE_ROWS)) == sorted(honest * 2)
    shuffled = ids(Fault.REORDERED_ROWS)
    assert (shuffled != honest, sorted(shuffled)) == (True, sorted(honest))
    assert ids(Fault.EMPTY_PAGE) == []
    assert 0 < len(ids(Fault.LATE_ROWS)) < len(honest)


def test_a_stale_answer_is_that_of_an_hour_ago(app: Btse) -> None:
    app.world.btse.add("Deposit", "USDT", "9", at=NOW - timedelta(hours=2), id="old")
    assert [row["orderId"] for row in faulty(app, Fault.STALE)(HISTORY).json()] == ["old"]


def test_a_cut_body_is_no_json(app: Btse) -> None:
    with pytest.raises(json.JSONDecodeError):
        faulty(app, Fault.CUT_BODY)(HISTORY).json()


def test_a_web_page_comes_with_200(app: Btse) -> None:
    answer = faulty(app, Fault.HTML)(HISTORY)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html")


def test_a_redirect_leads_elsewhere(app: Btse) -> None:
    answer = faulty(app, Fault.REDIRECT)(HISTORY)
    assert (answer.status_code, answer.headers["Location"]) == (302, "http://elsewhere.invalid/")


def test_not_a_number_and_a_key_twice(app: Btse) -> None:
    assert ":NaN" in faulty(app, Fault.NAN)(TIME).text
    pairs: list[list[tuple[str, object]]] = []
    json.loads(faulty(app, Fault.DUPLICATE_KEYS)(TIME).text, object_pairs_hook=pairs.append)
    assert [key for key, _ in pairs[0]].count("iso") == 2


def test_a_bomb_is_small_on_the_wire_and_a_huge_body_is_not(app: Btse) -> None:
    bomb = Faults(app, huge=2_000_000)
    bomb.plan(Fault.GZIP_BOMB)
    seen: list[bytes] = []
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": TIME}
    seen.extend(bomb(environ, lambda *_: seen.append))
    assert len(seen[0]) < 10_000 < 1_999_999 < len(gzip.decompress(seen[0]))
    assert len(faulty(app, Fault.HUGE_BODY)(TIME).content) > 190_000


def test_a_dripping_body_takes_its_time(app: Btse) -> None:
    slept: list[float] = []
    faults = Faults(app, sleep=slept.append, drip=0.5)
    faults.plan(Fault.DRIP)
    assert len(ask(faults, TIME).content) == len(slept)


def test_a_wrong_clock_shows_in_the_date_and_spoils_the_nonce(app: Btse) -> None:
    answer = faulty(app, Fault.WRONG_CLOCK)(HISTORY)
    assert (answer.status_code, answer.headers["Date"]) == (401, "Thu, 13 Aug 2026 14:00:00 GMT")


def test_a_plan_waits_for_its_path(app: Btse) -> None:
    faults = Faults(app)
    faults.plan(Fault.SERVER_ERROR, times=2, match="price")
    paths = (TIME, "/spot/api/v3.2/price", "/spot/api/v3.2/price", "/spot/api/v3.2/price")
    assert [ask(faults, path).status_code for path in paths] == [200, 500, 500, 200]


def test_chance_is_the_same_for_the_same_seed(app: Btse) -> None:
    def run(seed: str) -> list[int]:
        faults = Faults(app, rates={Fault.SERVER_ERROR: 50}, seed=seed)
        return [ask(faults, TIME).status_code for _ in range(20)]

    assert run("a") == run("a")
    assert set(run("a")) == {200, 500}


@pytest.fixture
def served(app: Btse) -> Iterator[tuple[Faults, str]]:
    faults = Faults(app)
    with Serving({"btse": faults}) as urls:
        yield faults, urls["btse"]


def test_on_a_socket_a_reset_is_a_lost_connection(served: tuple[Faults, str]) -> None:
    faults, url = served
    faults.plan(Fault.RESET_AFTER, Fault.CUT_BODY)
    with httpx2.Client(base_url=url, trust_env=False) as client:
        with pytest.raises(httpx2.TransportError):
            client.get(TIME)
        with pytest.raises(httpx2.RemoteProtocolError):
            client.get(TIME)
        assert client.get(TIME).json()["epoch"] == int(NOW.timestamp())
