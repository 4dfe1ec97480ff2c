"""Every envelope in which BTSE refuses, with the status that came with it, and with 200."""

from __future__ import annotations

import pytest

from exchanges import errors, wire
from exchanges.btse.judge import judge
from exchanges.replies import judge_status

SPOT = b'{"code":10002,"msg":"UNAUTHORIZED: Authentication Failed","time":1770477230034,"data":null,"success":false}'
FUTURES = b'{"status":400,"errorCode":-7,"message":"Authenticate failed","extraData":null}'
PLAIN = b'{"status":400,"error":"Bad Request","code":301,"message":"no such currency"}'
PARAMETER = b'{"code":11000001,"msg":"Request parameter is error","time":1,"data":null,"success":false}'
CASES = [
    (SPOT, errors.KeyRejected),
    (FUTURES, errors.KeyRejected),
    (PLAIN, errors.BadRequest),
    (PARAMETER, errors.BadRequest),
    (b'{"code":-2,"msg":"bad","success":false}', errors.BadRequest),
    (b'{"status":400,"errorCode":-2,"message":"Can\'t support count more than 500"}', errors.BadRequest),
    (b'{"code":-11,"msg":"system error","success":false}', errors.ExchangeFault),
    (b'{"status":429,"errorCode":303,"message":"slow down"}', errors.RateLimited),
    (b'{"code":303,"msg":"slow down","success":false}', errors.RateLimited),
    (b'{"code":10002,"msg":"Invalid nonce","success":false}', errors.NonceRejected),
    (b'{"status":403,"error":"Forbidden","message":"no permission"}', errors.MissingRight),
    (b'{"code":10002,"msg":"Insufficient permission","success":false}', errors.MissingRight),
    (b'{"status":404,"error":"Not Found","message":"gone"}', errors.NotOffered),
    (b'{"status":400,"errorCode":400,"message":"api parameter is mandatory"}', errors.KeyRejected),
    (b'{"code":77,"msg":"something new"}', errors.BadRequest),
]


@pytest.mark.parametrize(("body", "error"), CASES)
@pytest.mark.parametrize("status", [200, 400])
def test_an_envelope_says_what_is_wrong_also_with_200(
    body: bytes, error: type[errors.ExchangeError], status: int
) -> None:
    with pytest.raises(error) as caught:
        judge(status, wire.parse(body), {})
    assert type(caught.value) is error
    assert caught.value.said


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, SPOT, errors.KeyRejected),
        (401, b'{"code":1,"msg":"Insufficient permission","success":false}', errors.MissingRight),
        (401, b'{"message":"whatever"}', errors.KeyRejected),
        (403, PLAIN, errors.MissingRight),
        (404, PLAIN, errors.NotOffered),
        (429, SPOT, errors.RateLimited),
        (500, SPOT, errors.ExchangeFault),
        (503, b'{"message":"maintenance"}', errors.ExchangeFault),
    ],
)
def test_the_status_of_http_decides_where_the_envelope_does_not(
    status: int, body: bytes, error: type[errors.ExchangeError]
) -> None:
    with pytest.raises(error) as caught:
        judge(status, wire.parse(body), {})
    assert type(caught.value) is error


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b'[{"status":"FAILURE","code":1}]',
        b'{"code":1,"msg":"Success","time":1643085970137,"data":36051.55950285,"success":true}',
        b'{"iso":"2021-06-29T18:14:30.886Z","epoch":1624990470}',
        b'{"errorCode":0,"data":[]}',
        b"1",
    ],
)
def test_an_answer_is_no_refusal(body: bytes) -> None:
    judge(200, wire.parse(body), {})
    judge_status(200)


def test_what_the_exchange_said_is_cut_and_has_no_control_characters() -> None:
    with pytest.raises(errors.BadRequest) as caught:
        judge(200, {"success": False, "msg": "a\x1b[31m\n" + "x" * 500}, {})
    assert caught.value.said.startswith("a[31mx")
    assert len(caught.value.said) == 200
