"""The signatures of BTSE's document and of known vectors, digit by digit."""

from __future__ import annotations

import pytest

from exchanges.btse.sign import headers, signature

DOCUMENT = "848db84ac252b6726e5f6e7a711d9c96d9fd77d020151b45839a5b59c37203bx"
VECTORS = [
    (DOCUMENT, "/api/v3.2/user/wallet", 1624984297330, "14b986706a4368221e0af14a6725377161805e7a57d568220478cb3590ce532d4fad4ac68e6c02a14afced6a0619bfd3"),
    ("sim-secret-btse", "/api/v3.2/user/wallet", 1700000000000, "b5994ff091667e4c7a6d897f2cd3c8c4142bc94996a961743e0ef5d139d11e1de11efb651ef83aa8ac9411f0d342558a"),
    ("sim-secret-btse", "/api/v3.2/user/wallet_history", 1700000000001, "aba1161476c2b504f0eb0f71cbe650e862823913b87b2801adfdc1cbbf3dd13451817e37d5e5232cc40719e674593c5f"),
    ("sim-secret-btse", "/public-api/wallet/v1/user/assets", 1700000000002, "5ec01f4f5c0cdd4e5ee66c39db2279337427c4b59b335ff8d14d6f6feb5891254065d4f9dd2a2ba142f26604c6430af7"),
]  # fmt: skip


@pytest.mark.parametrize(("secret", "path", "nonce", "expected"), VECTORS)
def test_a_known_request_has_the_known_signature(secret: str, path: str, nonce: int, expected: str) -> None:
    assert signature(secret, path, nonce) == expected


def test_both_families_of_headers_say_the_same() -> None:
    sent = headers(key="k", secret="s", path="/api/v3.2/user/wallet", nonce=7)
    assert len(sent) == 6
    assert all(sent[f"request-{name}"] == sent[f"btse-{name}"] for name in ("api", "nonce", "sign"))
    assert (sent["btse-api"], sent["btse-nonce"]) == ("k", "7")
