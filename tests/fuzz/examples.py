"""An example: which answer, what is done to it, and how the product comes to hear it; as hypothesis draws it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache

from hypothesis import strategies as st

from exchanges.catalog import ExchangeName
from tests.fuzz.corpus import CORPUS, Endpoint
from tests.fuzz.mutations import BY_BYTES, BY_TREE, RARE, Draft, pack
from tests.fuzz.tree import Node, read, write


@dataclass(frozen=True, slots=True)
class Step:
    """One change."""

    what: str
    where: int
    how: int


@dataclass(frozen=True, slots=True)
class Example:
    """What hypothesis draws; small, printable, and all that is needed to play it again."""

    exchange: str
    endpoint: str
    answer: int
    steps: tuple[Step, ...]
    deep: bool
    """Read as if for the first time, or as in a full walk."""

    def written(self) -> str:
        """For a command line."""
        return json.dumps({**asdict(self), "steps": [[s.what, s.where, s.how] for s in self.steps]})

    @classmethod
    def load(cls, text: str) -> Example:
        """What `written` wrote."""
        value = json.loads(text)
        return cls(**{**value, "steps": tuple(Step(*step) for step in value["steps"])})

    @property
    def target(self) -> Endpoint:
        """The question whose answer is changed."""
        return next(one for one in CORPUS[ExchangeName(self.exchange)] if one.name == self.endpoint)


@dataclass(frozen=True, slots=True)
class Sent:
    """A whole answer as it goes over the wire."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    plain: bytes
    """Before it was packed."""


@cache
def _documented(text: str) -> Node:
    return read(text)


def honest(text: str) -> Sent:
    """A documented answer as it stands."""
    return Sent(200, (("content-type", "application/json"),), text.encode(), text.encode())


def made(example: Example) -> Sent:
    """The answer of an example."""
    answers = example.target.answers
    draft = Draft([read(answers[example.answer % len(answers)])])
    for step in example.steps:
        if step.what in BY_TREE and draft.body is None:
            BY_TREE[step.what](draft, step.where, step.how)
    draft.body = write(draft.root[0]).encode("utf-8", "surrogatepass")
    for step in example.steps:
        if step.what in BY_BYTES:
            BY_BYTES[step.what](draft, step.where, step.how)
    body, packing = pack(draft.body, draft.packing)
    headers = {"content-type": "application/json"} | draft.headers
    if packing:
        headers["content-encoding"] = packing
    return Sent(draft.status, tuple(headers.items()), body, draft.body)


_COMMON = [name for name in (*BY_TREE, *BY_BYTES) if name not in RARE]
KINDS = (
    *_COMMON,
    *("replace",) * 8,
    *("retype", "rename", "double", "drop", "add", "swap", "lengthen", "lie") * 2,
)
HEAVY = ("many",) * 13 + RARE[1:]
STEPS, HEAD, STEP = 4, 5, 5
"""At most so many changes; so many bytes before them, and for each of them."""


def examples(exchange: ExchangeName) -> st.SearchStrategy[Example]:
    """Any answer of an exchange with one to four changes; now and then one of them is heavy.

    One draw of bytes: hypothesis draws it evenly and cheaply, and makes it smaller byte by byte.
    """
    length = HEAD + STEPS * STEP
    return st.binary(min_size=length, max_size=length).map(lambda drawn: decoded(exchange, drawn))


def decoded(exchange: ExchangeName, drawn: bytes) -> Example:
    """The example that some bytes stand for; zeros stand for the simplest."""
    which, answer, luck, heavy, count = drawn[:HEAD]
    endpoint = CORPUS[exchange][which % len(CORPUS[exchange])]
    places = range(HEAD, HEAD + STEP * (1 + count % STEPS), STEP)
    steps = [_step(drawn[at : at + STEP], KINDS) for at in places]
    if heavy >= 254:
        steps = [_step(drawn[HEAD : HEAD + STEP], HEAVY), *steps[1:2]]
    number = answer % len(endpoint.answers)
    return Example(str(exchange), endpoint.name, number, tuple(steps), deep=luck >= 244)


def _step(drawn: bytes, kinds: Sequence[str]) -> Step:
    return Step(kinds[drawn[0] % len(kinds)], int.from_bytes(drawn[1:3]), int.from_bytes(drawn[3:5]))
