"""The recorded vectors open the door, anything else does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from exchanges.sandbox.btse import Btse
from exchanges.sandbox.btse import signature as btse_signature
from exchanges.sandbox.tether import Tether
from exchanges.sandbox.tokens_net import TokensNet
from exchanges.sandbox.tokens_net import signature as tokens_signature
from exchanges.sandbox.world import World
from tests.exchanges.sandbox.asking import KEY, NOW, SECRET, ask, btse_headers, tether_headers, tokens_headers

FORMER = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)  # The moment of the vectors.
WALLET = "/spot/api/v3.2/user/wallet"
BALANCES = "/api/v1/balances.json"
VECTORS = [
    ("A", BALANCES, "qS9lInJJ+A8Rd7JEnEJ7o44pAew="),
    ("B", BALANCES, "ffy70MSUm3re5T6cnGEfXe8jg9Y="),
    ("C", BALANCES, "PoOd47ghaHP9g0Cwn/1UljmlOkQ="),
    ("C", "/api/v1/transactions.json", "AEL1/rNP7N7uSRRQB0k5VqOWx/c="),
    ("C", "/api/v1/transactions/page/2", "YJhQO2cfsh5lslEu9xIgShcpeNU="),
]


def empty(at: datetime = NOW) -> World:
    return World(now=lambda: at, empty=True)


def test_btse_accepts_the_recorded_vector() -> None:
    app = Btse(empty(FORMER), key="k", secret="sim-secret-btse")
    headers = {
        "request-api": "k",
        "request-nonce": "1700000000000",
        "request-sign": "b5994ff091667e4c7a6d897f2cd3c8c4142bc94996a961743e0ef5d139d11e1de11efb651ef83aa8ac9411f0d342558a",
    }
    assert ask(app, WALLET, headers=headers).status_code == 200


def test_btse_signs_like_the_document() -> None:
    secret = "848db84ac252b6726e5f6e7a711d9c96d9fd77d020151b45839a5b59c37203bx"
    assert btse_signature(secret, WALLET, "1624984297330") == (
        "14b986706a4368221e0af14a6725377161805e7a57d568220478cb3590ce532d4fad4ac68e6c02a14afced6a0619bfd3"
    )


def test_btse_signs_the_whole_path_of_the_newer_endpoints() -> None:
    assert btse_signature("sim-secret-btse", "/public-api/wallet/v1/user/assets", "1700000000002") == (
        "5ec01f4f5c0cdd4e5ee66c39db2279337427c4b59b335ff8d14d6f6feb5891254065d4f9dd2a2ba142f26604c6430af7"
    )


def test_tokens_net_signs_like_the_document() -> None:
    key = "0123456789abcdef0123456789abcdef"
    assert (
        tokens_signature(key, key, "0") == "7677C1058561C94E91CE92168C09F0CF9FA87F89EC7985D0209E3E1B79CD3605"
    )


def test_tokens_net_accepts_the_recorded_vector() -> None:
    app = TokensNet(empty(), key="sim-key-tok", secret="sim-secret-tok")
    sign = "502B50CCA0856C9873D7D4104FBF93D317B16DB7446AEFFF329FC43CDBD4F9E2"
    headers = {"key": "sim-key-tok", "nonce": "17000000000000001", "signature": sign}
    assert ask(app, "/private/balance/btc/", headers=headers).json()["status"] == "ok"


@pytest.mark.parametrize(("form", "path", "sign"), VECTORS)
def test_tether_accepts_the_recorded_vectors(form: str, path: str, sign: str) -> None:
    app = Tether(empty(FORMER), key="sim-key-tether", secret="sim-secret-tether", forms=(form,))
    headers = {
        "Authorization": f"APIAuth sim-key-tether:{sign}",
        "Date": "Tue, 14 Nov 2023 22:13:20 GMT",
        "Content-Type": "application/json",
    }
    if form != "C":
        headers["Content-MD5"] = "1B2M2Y8AsgTpgAmY7PhCfg=="
    assert ask(app, path, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("accepted", "sent", "status"), [("C", "A", 401), ("C", "B", 401), ("A", "C", 401), ("AB", "B", 200)]
)
def test_tether_knows_only_the_forms_it_was_given(accepted: str, sent: str, status: int) -> None:
    app = Tether(empty(), key=KEY, secret=SECRET, forms=accepted)
    assert ask(app, BALANCES, headers=tether_headers(BALANCES, form=sent)).status_code == status


def test_tether_refuses_a_query_of_which_only_the_path_is_signed() -> None:
    app = Tether(empty(), key=KEY, secret=SECRET)
    answer = ask(app, f"{BALANCES}?page=2", headers=tether_headers(BALANCES))
    assert (answer.status_code, answer.content) == (401, b"")


@pytest.mark.parametrize(("minutes", "status"), [(-14, 200), (14, 200), (-16, 401), (16, 401)])
def test_tether_allows_fifteen_minutes_between_the_clocks(minutes: int, status: int) -> None:
    app = Tether(empty(), key=KEY, secret=SECRET)
    headers = tether_headers(BALANCES, at=NOW + timedelta(minutes=minutes))
    assert ask(app, BALANCES, headers=headers).status_code == status


@pytest.mark.parametrize("family", ["btse", "request"])
def test_btse_takes_either_header_family_or_only_one(family: str) -> None:
    nonce = int(NOW.timestamp() * 1000)
    both = Btse(empty(), key=KEY, secret=SECRET)
    assert ask(both, WALLET, headers=btse_headers(WALLET, nonce, family=family)).status_code == 200
    one = Btse(empty(), key=KEY, secret=SECRET, header_families=("request",))
    answer = ask(one, WALLET, headers=btse_headers(WALLET, nonce, family=family))
    assert answer.status_code == (200 if family == "request" else 400)


def test_btse_refuses_a_wrong_secret_in_its_own_words() -> None:
    app = Btse(empty(), key=KEY, secret=SECRET)
    answer = ask(app, WALLET, headers=btse_headers(WALLET, int(NOW.timestamp() * 1000), secret="other"))
    assert (answer.status_code, answer.json()["code"]) == (401, 10002)


def test_btse_refuses_a_nonce_that_was_used_or_is_far_from_its_clock() -> None:
    app, nonce = Btse(empty(), key=KEY, secret=SECRET), int(NOW.timestamp() * 1000)
    sent = [nonce, nonce, nonce - 1, nonce + 1, nonce + 120_000]
    answers = [ask(app, WALLET, headers=btse_headers(WALLET, one)).status_code for one in sent]
    assert answers == [200, 401, 401, 200, 401]


def test_tokens_net_refuses_a_nonce_that_does_not_rise() -> None:
    app, path = TokensNet(empty(), key=KEY, secret=SECRET), "/private/orders/get/all/"
    codes = [ask(app, path, headers=tokens_headers(nonce)).json().get("errorCode") for nonce in (5, 5, 4, 6)]
    assert codes == [None, 111, 111, None]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"key": ""}, 100),
        ({"nonce": ""}, 101),
        ({"signature": ""}, 102),
        ({"nonce": "x"}, 110),
        ({"key": "who"}, 120),
        ({"signature": "0" * 64}, 121),
    ],
)
def test_tokens_net_says_what_is_wrong_with_a_key(change: dict[str, str], code: int) -> None:
    app = TokensNet(empty(), key=KEY, secret=SECRET)
    answer = ask(app, "/private/balance/btc/", headers=tokens_headers(5) | change).json()
    assert (answer["status"], answer["errorCode"]) == ("error", code)
