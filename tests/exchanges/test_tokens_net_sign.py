"""Does a Tokens.net request carry exactly the signature of the document?"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from exchanges.tokens_net.sign import headers, signature, ticks

SAMPLE = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("key", "secret", "nonce", "expected"),
    [
        (SAMPLE, SAMPLE, 0, "7677C1058561C94E91CE92168C09F0CF9FA87F89EC7985D0209E3E1B79CD3605"),
        (
            "sim-key-tok",
            "sim-secret-tok",
            17000000000000001,
            "502B50CCA0856C9873D7D4104FBF93D317B16DB7446AEFFF329FC43CDBD4F9E2",
        ),
    ],
)
def test_every_vector_is_reproduced(key: str, secret: str, nonce: int, expected: str) -> None:
    assert signature(key=key, secret=secret, nonce=nonce) == expected


def test_headers_carry_key_nonce_and_signature_and_nothing_else() -> None:
    sent = headers(key=SAMPLE, secret=SAMPLE, nonce=7)

    assert sent == {
        "key": SAMPLE,
        "nonce": "7",
        "signature": signature(key=SAMPLE, secret=SAMPLE, nonce=7),
    }


def test_a_nonce_drawn_from_the_clock_has_seventeen_digits_and_every_microsecond() -> None:
    assert ticks(datetime(2026, 11, 20, 13, 0, 0, 123457, tzinfo=UTC)) == 17951796001234570
