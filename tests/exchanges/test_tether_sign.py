"""Does a Tether.to request carry exactly the signature that the server computes?"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from exchanges.tether.sign import EMPTY_MD5, Form, canonical, headers, signature

DATE = "Tue, 14 Nov 2023 22:13:20 GMT"
AT = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
VECTORS = {
    "/api/v1/balances.json": (
        "qS9lInJJ+A8Rd7JEnEJ7o44pAew=",
        "ffy70MSUm3re5T6cnGEfXe8jg9Y=",
        "PoOd47ghaHP9g0Cwn/1UljmlOkQ=",
    ),
    "/api/v1/transactions.json": (
        "w9MJY7MOVoqdKxFBiDQJr9TUtlE=",
        "WqHYcahr4UyoGumiBUip5rAIXLs=",
        "AEL1/rNP7N7uSRRQB0k5VqOWx/c=",
    ),
    "/api/v1/transactions/page/2": (
        "8T7RODuvuIA18rBtUJRy6XPxe8U=",
        "TWeS4ET28CtIOr1eIL8iQXhVLuo=",
        "YJhQO2cfsh5lslEu9xIgShcpeNU=",
    ),
    "/api/v1/transactions/2018.json": (
        "kkHiCyIaekR/61nC+jb2kBSLDdA=",
        "O1UegZ4H+AM4+FD8iUWS42LVfmU=",
        "cd3UPt1hy4JClwjlR1O/wPmMmng=",
    ),
}


@pytest.mark.parametrize("path", VECTORS)
@pytest.mark.parametrize(("column", "form"), list(enumerate("ABC")))
def test_every_vector_of_every_form_is_reproduced(path: str, column: int, form: str) -> None:
    assert signature(Form(form), "sim-secret-tether", path, DATE) == VECTORS[path][column]


def test_the_canonical_string_of_the_newest_form_has_an_empty_md5_and_the_comma_of_the_date() -> None:
    expected = "GET,application/json,,/api/v1/balances.json,Tue, 14 Nov 2023 22:13:20 GMT"
    assert canonical(Form.VERB, "/api/v1/balances.json", DATE) == expected


def test_forms_are_tried_newest_first() -> None:
    assert list(Form) == ["C", "B", "A"]


@pytest.mark.parametrize(("form", "md5"), [("A", EMPTY_MD5), ("B", EMPTY_MD5), ("C", "")])
def test_headers_say_what_was_signed(form: str, md5: str) -> None:
    sent = headers(
        Form(form), key="sim-key-tether", secret="sim-secret-tether", path="/api/v1/balances.json", at=AT
    )
    expected = signature(Form(form), "sim-secret-tether", "/api/v1/balances.json", DATE)

    assert sent["Authorization"] == f"APIAuth sim-key-tether:{expected}"
    assert sent["Content-MD5"] == md5
    assert sent["Date"] == DATE
    assert sent["Content-Type"] == "application/json"


def test_the_md5_of_an_empty_body_is_the_one_of_the_document() -> None:
    assert EMPTY_MD5 == "1B2M2Y8AsgTpgAmY7PhCfg=="
