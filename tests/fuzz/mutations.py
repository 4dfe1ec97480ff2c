"""What is done to a documented answer before it is sent: to its tree, to its bytes, to its status and headers.

Each change is decided by its name and two whole numbers (where, how), so that hypothesis can make it smaller and a
person can play it again. Big ones are rare: they cost time that a thousand small ones need.
"""

from __future__ import annotations

import copy
import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.fuzz.tree import Fields, Node, Place, Token, places

WORDS: tuple[Node, ...] = (
    *map(
        Token,
        (
            *("0", "-0", "-0.0", "1", "-1", "true", "false", "null", "1e400", "-1e400", "1e-400", "1e999999", "NaN"),
            *("Infinity", "-Infinity", "1_000", "0x10", "01", "+1", ".5", "1.", "1e", "1e999999999999999999999", "--1"),
            *("99999999999999999999", "100000000000000000000", "0.000000000000000001", "0.0000000000000000001"),
            *("1234567890123456789.123456789012345678", "12345678901234567890123456789012345678901", "1E+5", "0e5"),
            *("0.1" + "0" * 70, "1786510157962", "1786510157", "1786510157962000", "-62135596800", "253402300800"),
            *("86400000000000000", "1e12", "1.7865e9", "5.34e-7", "[]", "{}", "[[]]", '{"":""}', "[0]", "undefined"),
        ),
    ),
    *("", " ", "0", "-0", "00", "NaN", "nan", "sNaN", "-Infinity", "1e400", "1e-400", "1e99", "1_000", "1,5", "1 000"),
    *(" 1 ", "1\n", "+1", "0x1F", "१२३", "１２", "²", "1e5", "1E5", "true", "True", "null", "None", "--1", "1.2.3", "١٫٥"),
    *("0." + "1" * 18, "0." + "1" * 19, "9" * 20, "9" * 21, "9" * 39, "1e18", "1e20", "1e-18", "1e-19", "1e50", "-5"),
    *("\0", "a\0b", "\ud800", "\udfff\ud800", "a\udc00", "\u202e", "\u202eDSU", "\u2066x", "\u200b", "\ufeff", "\x1b[2J"),
    *("U\u0405D", "ВТС", "usd", "USD₮", "usdt", "BTC ", " BTC", "B T C", "BTC\u00a0", "ﬁ", "ß", "ŉ", "İ", "😀", "a" * 33),
    *("x" * 201, "é" * 200, "😀" * 200, "../..", "a/b?c=d#e", "%00", "' OR 1=1 --", "<script>alert(1)</script>", "=1+1"),
    *("2026-08-10T22:48:27+08:00", "2026-02-30T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"),
    *("2026-08-10", "2026-W33-1", "20260810T101010", "2026-08-10T24:00:00", "2026-08-10T10:10:10.1234567891234Z"),
    *("2026-08-10 10:10:10", "2026-08-10T10:10:60Z", "-2026-01-01", "12026-01-01T00:00:00Z", "2026-08-10T10:10:10+99:99"),
    *("1786510157", "1786510157962", "1786510157.123456789", "17865101579620000000", "-1", "0000000000000", "2099-12-31"),
    *("completed", "PENDING", "Trading Fee Stake Freeze", "convert", "convert fiat", "121", "buy", "SELL", "sell", "error"),
    *("btcusdt", "BTCUSDT", "dtrbtc", "nopair", "all", "CROSS@", "ISOLATED@BTC-PERP-USDT", "redeem", "claimed_own"),
)  # fmt: skip
NAMES = (
    *("id", "orderId", "tradeId", "amount", "currency", "data", "error", "errorCode", "status", "success", "code", "msg"),
    *("message", "pages", "page", "trades", "total", "", " ", "\0", "\ud800", "__proto__", "Amount", "amоunt", "x" * 300),
    *("balances", "timestamp", "feeCurrency", "sourceCurrency", "targetCurrency", "orderStatus", "confirmed", "pending"),
)  # fmt: skip
STATUSES = (
    *(200, 200, 200, 201, 202, 204, 206, 226, 299, 300, 301, 302, 304, 307, 400, 401, 402, 403, 404, 405, 408, 409),
    *(418, 422, 429, 451, 499, 500, 502, 503, 504, 520, 599, 600, 777, 999),
)  # fmt: skip
DATES = (
    *("", "now", "Thu, 13 Aug 2026 12:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 -2359", "Fri, 31 Dec 9999 23:59:59 GMT"),
    *("Mon, 01 Jan 0100 00:00:00 +2359", "Thu, 01 Jan 1970 00:00:00 GMT", "Thu, 13 Aug 2026 99:99:99 GMT", "0"),
    *("Thu, 13 Aug 99999999999 12:00:00 GMT", "Thu, 13 Aug 2026 12:00:00 +99999999", "13 Aug 2026", "\x00", "é" * 50),
    "Thu, 13 Aug 2026 12:00:00 " + "(" * 500,
)  # fmt: skip
PAUSES = (
    *(
        "0",
        "1",
        "-1",
        "1e9",
        "nan",
        "inf",
        "9999999999999",
        "99999999999999999",
        "1786622410",
        "1786622410000",
        "soon",
    ),
    *(
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "１２",
        "1_0",
        "0x1",
        "1" * 5000,
        "",
    ),
)
PACKINGS = (
    "gzip",
    "deflate",
    "raw deflate",
    "gzip cut",
    "gzip bad",
    "not gzip",
    "twice",
    "br",
    "zstd",
    "gzip, gzip",
    "x",
)
PAGES = (
    b"<html><body>Maintenance</body></html>",
    b"<!doctype html><script>alert(1)</script>",
    b"",
    b" ",
    b"null",
    b"0",
    b'"ok"',
    b"[]",
    b"{}",
    b"[[]]",
    b"[null]",
    b"true",
    b"ok",
    b"\xff\xfe[\x00]\x00",
    b"\xef\xbb\xbf[]",
    b"\x00",
    b"[1,2",
    b'{"a":',
    b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'b'>]><a>&b;</a>",
    b")]}',\n[]",
    b"[]]",
    b"[]\n[]",
    b'{"error":""}',
    b'{"error":{"a":[1]}}',
    b'{"status":"error"}',
    b'{"success":false}',
    b'{"errorCode":1e400}',
    b'{"code":"404","error":"x"}',
    b'{"status":599,"message":"x"}',
)
COUNTS = (2, 3, 9, 10, 11, 49, 60)
MANY = (499, 500, 501, 1200)


@dataclass(slots=True)
class Draft:
    """An answer on its way: its tree, then its bytes, with status and headers."""

    root: list[Node]
    body: bytes | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    packing: str = ""


Change = Callable[[Draft, int, int], None]


def _place(draft: Draft, where: int) -> Place:
    found = places(draft.root)
    return found[where % len(found)]


def replace(draft: Draft, where: int, how: int) -> None:
    """Another value."""
    _place(draft, where).put(WORDS[how % len(WORDS)])


def drop(draft: Draft, where: int, how: int) -> None:
    """A field or a row goes."""
    place = _place(draft, where)
    if isinstance(place.parent, Fields):
        del place.parent.pairs[place.at]
    elif place.parent is not None and place.parent is not draft.root:
        del place.parent[place.at]


def double(draft: Draft, where: int, how: int) -> None:
    """A field or a row twice; the second time perhaps with another value."""
    place = _place(draft, where)
    again = copy.deepcopy(place.node) if how % 2 else WORDS[how // 2 % len(WORDS)]
    if isinstance(place.parent, Fields):
        place.parent.pairs.append((place.parent.pairs[place.at][0], again))
    elif place.parent is not None and place.parent is not draft.root:
        place.parent.insert(place.at, again)


def rename(draft: Draft, where: int, how: int) -> None:
    """A field under another name."""
    place = _place(draft, where)
    if isinstance(place.parent, Fields):
        name, node = place.parent.pairs[place.at]
        spellings = (*NAMES, name.upper(), name.title(), name + " ", name[:-1], name.replace("a", "а"))
        place.parent.pairs[place.at] = (spellings[how % len(spellings)], node)


def add(draft: Draft, where: int, how: int) -> None:
    """A field that nobody asked for."""
    node = _place(draft, where).node
    if isinstance(node, Fields):
        node.pairs.insert(0, (NAMES[how % len(NAMES)], WORDS[how // len(NAMES) % len(WORDS)]))
    elif isinstance(node, list):
        node.append(WORDS[how % len(WORDS)])


def swap(draft: Draft, where: int, how: int) -> None:
    """Two values change places; a value may so come to stand inside itself, as a copy."""
    one, other = _place(draft, where), _place(draft, how)
    first, second = copy.deepcopy(one.node), copy.deepcopy(other.node)
    one.put(second)
    other.put(first)


def wrap(draft: Draft, where: int, how: int) -> None:
    """One more list or object around a value."""
    place = _place(draft, where)
    place.put([place.node] if how % 3 == 0 else Fields([(NAMES[how % len(NAMES)], place.node)]))


def unwrap(draft: Draft, where: int, how: int) -> None:
    """A list or object gives way to the first thing in it; or is emptied."""
    place = _place(draft, where)
    if isinstance(place.node, list):
        place.put(place.node[0] if place.node and how % 2 else [])
    elif isinstance(place.node, Fields):
        place.put(place.node.pairs[0][1] if place.node.pairs and how % 2 else Fields())


def retype(draft: Draft, where: int, how: int) -> None:
    """A number as text, a text as number, a list as object."""
    place = _place(draft, where)
    if isinstance(place.node, Token):
        place.put(str(place.node))
    elif isinstance(place.node, str):
        place.put(Token(place.node or "0"))
    elif isinstance(place.node, list):
        place.put(Fields([(str(at), one) for at, one in enumerate(place.node)]))
    else:
        place.put([one for _, one in place.node.pairs])


def _repeat(draft: Draft, where: int, how: int, counts: tuple[int, ...]) -> None:
    """A row many times: the same, with other ids, or with other ids and times."""
    rows = [
        place
        for place in places(draft.root)
        if isinstance(place.parent, list) and place.parent is not draft.root
    ]
    if not rows:
        return
    place = rows[where % len(rows)]
    assert isinstance(place.parent, list)
    count, manner = counts[how % len(counts)], how // len(counts) % 4
    place.parent[place.at + 1 : place.at + 1] = [
        _another(place.node, number, manner) for number in range(1, count)
    ]


def _another(row: Node, number: int, manner: int) -> Node:
    if manner == 0 or not isinstance(row, Fields):
        return copy.copy(row)
    changed = Fields(list(row.pairs))
    for at, (name, node) in enumerate(row.pairs):
        text = str(node) if isinstance(node, str) else ""
        if name in ("id", "orderId", "tradeId"):
            fresh = f"{text[:-4]}{number:04d}" if len(text) > 4 else f"{number}"
            changed.pairs[at] = (name, Token(fresh) if isinstance(node, Token) and fresh.isdigit() else fresh)
        elif (
            manner == 2 and name in ("timestamp", "datetime", "created") and text.isdigit() and len(text) < 40
        ):
            changed.pairs[at] = (name, Token(str(int(text) - number)))
        elif manner == 3 and name == "currency":
            changed.pairs[at] = (name, WORDS[number % len(WORDS)] if number % 3 else f"C{number}")
    return changed


def repeat(draft: Draft, where: int, how: int) -> None:
    """A row up to sixty times."""
    _repeat(draft, where, how, COUNTS)


def many(draft: Draft, where: int, how: int) -> None:
    """A row about as often as the longest answers have rows, and more."""
    _repeat(draft, where, how, MANY)


def shuffle(draft: Draft, where: int, how: int) -> None:
    """Another order of rows or fields."""
    node = _place(draft, where).node
    if isinstance(node, list):
        Random(how).shuffle(node)
    elif isinstance(node, Fields):
        Random(how).shuffle(node.pairs)


def nest(draft: Draft, where: int, how: int) -> None:
    """Lists or objects in each other, up to 100,000 deep."""
    depth = (63, 64, 65, 200, 900, 1100, 5000, 100_000)[how % 8]
    opened, closed = (("[", "]"), ('{"a":', "}"))[how // 8 % 2]
    _place(draft, where).put(Token(opened * depth + "0" + closed * depth))


def lengthen(draft: Draft, where: int, how: int) -> None:
    """A long text or a long number."""
    length = (100, 1_000, 10_000, 100_000)[how % 4]
    fill: tuple[Node, ...] = (
        *("x" * length, "9" * length, "\u0001" * length, "😀" * length, " " * length + "BTC", "\ud800" * length, "1," * length),
        *(Token("9" * length), Token("0." + "3" * length), Token(f"1e{length}"), Token("-" + "9" * length + "e-" + "9" * 9)),
    )  # fmt: skip
    _place(draft, where).put(fill[how // 4 % len(fill)])


def lie(draft: Draft, where: int, how: int) -> None:
    """Counts of pages, statuses and codes that are not true."""
    words = (
        Token("1000000000"),
        Token("0"),
        Token("-1"),
        "9",
        "1e9",
        Token("1.5"),
        Token("99999999999999999999"),
        Token("true"),
    )
    named = [
        p for p in places(draft.root) if isinstance(p.parent, Fields) and p.parent.pairs[p.at][0] in _COUNTED
    ]
    if named:
        named[where % len(named)].put(words[how % len(words)])
    else:
        add(draft, where, how)


_COUNTED = frozenset({"pages", "page", "status", "code", "errorCode", "success"})


def flood(draft: Draft, where: int, how: int) -> None:
    """As much as an answer may hold: rows, fields, numbers, texts."""
    sizes = (20_000, 100_000, 400_000, 1_500_000)
    size = sizes[how % 4]
    fill = (
        lambda: "[" + "0," * size + "0]",
        lambda: "[" + "{}," * size + "{}]",
        lambda: "[" + "[]," * size + "[]]",
        lambda: "[" + '"",' * size + '""]',
        lambda: "{" + ",".join(f'"{n:x}":0' for n in range(size)) + "}",
        lambda: "[" + ",".join(f'{{"id":{n},"a":1}}' for n in range(min(size, 700_000))) + "]",
        lambda: f'"{"x" * (size * 10)}"',
        lambda: f'"{"😀" * (size * 2)}"',
        lambda: '"' + "\\u0001" * size + '"',
        lambda: "9" * (size * 8),
        lambda: '"' + " " * (size * 10) + 'BTC"',
        lambda: "[" * size,
        lambda: " " * (size * 10) + "0",
    )  # fmt: skip
    _place(draft, where).put(Token(fill[how // 4 % len(fill)]()))


def multiply(draft: Draft, where: int, how: int) -> None:
    """A row until the answer is as large as may be."""
    _repeat(draft, where, how, (5_000, 9_000, 30_000))


BY_TREE: dict[str, Change] = {
    one.__name__: one
    for one in (
        *(
            replace,
            drop,
            double,
            rename,
            add,
            swap,
            wrap,
            unwrap,
            retype,
            repeat,
            many,
            shuffle,
            nest,
            lengthen,
            lie,
        ),
        *(flood, multiply),
    )
}


def cut(draft: Draft, where: int, how: int) -> None:
    """Only the beginning of the bytes; or the end is missing a little."""
    body = draft.body or b""
    draft.body = body[: where % (len(body) + 1)] if how % 2 else body[: -1 - where % 5]


def flip(draft: Draft, where: int, how: int) -> None:
    """Some other byte."""
    if draft.body:
        at = where % len(draft.body)
        draft.body = draft.body[:at] + bytes([how % 256]) + draft.body[at + 1 :]


def insert(draft: Draft, where: int, how: int) -> None:
    """Bytes that do not belong there."""
    body = draft.body or b""
    at = where % (len(body) + 1)
    odd = (
        b",",
        b"\x00",
        b"\xff",
        b"\xef\xbb\xbf",
        b"//x\n",
        b"/**/",
        b"'",
        b'"',
        b"\\",
        b"\xed\xa0\x80",
        b"[",
        b"}",
        b"NaN",
    )
    draft.body = body[:at] + odd[how % len(odd)] + body[at:]


def recode(draft: Draft, where: int, how: int) -> None:
    """Another charset than JSON's; or UTF-8 that is announced as something else."""
    charset = ("utf-16", "utf-32", "latin-1", "utf-8-sig", "cp1252", "utf-7", "ascii")[how % 7]
    text = (draft.body or b"").decode(errors="replace")
    if how // 7 % 2:
        draft.body = text.encode(charset, "replace")
    draft.headers["content-type"] = f"application/json; charset={charset}"


def page(draft: Draft, where: int, how: int) -> None:
    """Something else altogether."""
    draft.body = PAGES[how % len(PAGES)]


def twice(draft: Draft, where: int, how: int) -> None:
    """The same bytes twice."""
    draft.body = (draft.body or b"") * 2


def status(draft: Draft, where: int, how: int) -> None:
    """Another HTTP status."""
    draft.status = STATUSES[how % len(STATUSES)]


def dated(draft: Draft, where: int, how: int) -> None:
    """Another time of the exchange's clock."""
    draft.headers["date"] = DATES[how % len(DATES)]


def paused(draft: Draft, where: int, how: int) -> None:
    """A wish for a pause."""
    draft.headers["retry-after"] = PAUSES[how % len(PAUSES)]
    draft.status = (429, 503, 500, 200, 401)[where % 5]


def named(draft: Draft, where: int, how: int) -> None:
    """Headers that lie about the body."""
    name = ("content-type", "content-length", "transfer-encoding", "location", "set-cookie", "x" * 200)[
        where % 6
    ]
    draft.headers[name] = ("text/html", "5", "999999999", "chunked", "https://evil.test/", "a=b" * 3000)[
        how % 6
    ]


def packed(draft: Draft, where: int, how: int) -> None:
    """Packed, as announced or not."""
    draft.packing = PACKINGS[how % len(PACKINGS)]


def bomb(draft: Draft, where: int, how: int) -> None:
    """Packed a thousand times smaller than it is."""
    draft.body = (b"[" + b" " * 40_000_000, b"[" * 40_000_000, b"0" * 40_000_000, b" " * 16_000_000 + b"[]")[
        where % 4
    ]
    draft.packing = ("gzip", "deflate", "raw deflate")[how % 3]


BY_BYTES: dict[str, Change] = {
    one.__name__: one
    for one in (cut, flip, insert, recode, page, twice, status, dated, paused, named, packed, bomb)
}
RARE = ("many", "bomb", "flood", "multiply")


def pack(body: bytes, packing: str) -> tuple[bytes, str]:
    """The bytes on the wire and the header that goes with them."""
    if packing == "gzip":
        return gzip.compress(body, 1), "gzip"
    if packing == "gzip cut":
        return gzip.compress(body, 1)[:-9], "gzip"
    if packing == "gzip bad":
        return gzip.compress(body, 1)[:-9] + b"\0" * 9, "gzip"
    if packing == "twice":
        return gzip.compress(gzip.compress(body, 1), 1), "gzip"
    if packing == "deflate":
        return zlib.compress(body, 1), "deflate"
    if packing == "raw deflate":
        return zlib.compress(body, 1)[2:-4], "deflate"
    return body, "gzip" if packing == "not gzip" else packing
