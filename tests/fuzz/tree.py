"""JSON as a tree that may say what JSON may not: fields twice, numbers of any spelling, nesting without end.

Knows no exchange and nothing of the product's own JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any


class Token(str):
    """Written as it is: a number, true, null, or something that is no JSON."""

    __slots__ = ()


@dataclass(slots=True)
class Fields:
    """An object; a name may come twice."""

    pairs: list[tuple[str, Node]] = field(default_factory=list)


Node = Token | str | list[Any] | Fields


def read(text: str) -> Node:
    """The tree of a plain JSON text, with every number as it was written."""
    found: Node = json.loads(
        text,
        parse_float=Token,
        parse_int=Token,
        object_pairs_hook=lambda pairs: Fields([(name, _token(one)) for name, one in pairs]),
    )
    return _token(found)


def _token(value: Any) -> Node:
    if isinstance(value, list):
        return [_token(one) for one in value]
    if value is None or isinstance(value, bool):
        return Token(json.dumps(value))
    found: Node = value
    return found


def write(node: Node) -> str:
    """The text of a tree."""
    if isinstance(node, Token):
        return str(node)
    if isinstance(node, str):
        return json.dumps(node, ensure_ascii=not _storable(node))
    if isinstance(node, list):
        return f"[{','.join(map(write, node))}]"
    return f"{{{','.join(f'{write(str(name))}:{write(one)}' for name, one in node.pairs)}}}"


def _storable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere in a tree: what stands there, how to change it, and the list or object around it."""

    node: Node
    put: Callable[[Node], None]
    parent: list[Any] | Fields | None = None
    at: int = 0


def places(root: list[Any]) -> list[Place]:
    """All places below a list of one that holds the tree, outermost first."""
    return list(_below(root))


def _below(parent: list[Any] | Fields) -> Iterator[Place]:
    if isinstance(parent, list):
        for at, node in enumerate(parent):
            yield Place(node, _putter(parent, at), parent, at)
            if isinstance(node, list | Fields):
                yield from _below(node)
        return
    for at, (_, node) in enumerate(parent.pairs):
        yield Place(node, _putter(parent, at), parent, at)
        if isinstance(node, list | Fields):
            yield from _below(node)


def _putter(parent: list[Any] | Fields, at: int) -> Callable[[Node], None]:
    def put(node: Node) -> None:
        if isinstance(parent, list):
            parent[at] = node
        else:
            parent.pairs[at] = (parent.pairs[at][0], node)

    return put


class Number(str):
    """A number as an answer wrote it, when what was sent is looked at."""

    __slots__ = ()


def heard(text: str) -> Any:
    """What an answer says, read without the product's help: numbers keep their digits; ValueError if it is no JSON."""
    return json.loads(text, parse_float=Number, parse_int=Number)


def canonical(value: Any) -> str:
    """Equal for equal values: names sorted, numbers by digits and exponent."""
    if isinstance(value, Number):
        return str(Decimal(value).as_tuple())
    if isinstance(value, dict):
        return f"{{{','.join(f'{name!r}:{canonical(one)}' for name, one in sorted(value.items()))}}}"
    if isinstance(value, list):
        return f"[{','.join(map(canonical, value))}]"
    return repr(value)
