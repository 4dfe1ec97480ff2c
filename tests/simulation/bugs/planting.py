"""What a planted bug is: how to put it in, and at which exchanges the code that it spoils runs at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple
from unittest import mock

from tests.simulation.plan import EXCHANGES

Patch = AbstractContextManager[object]


class Bug(NamedTuple):
    """One deliberate mistake."""

    plant: Callable[[], Patch]
    exchanges: tuple[str, ...] = EXCHANGES
    """A seed of another exchange never comes to the spoilt code, so that it need not be tried."""


def instead(owner: object, name: str, bad: object) -> Callable[[], Patch]:
    """A bug that is one attribute with another value."""
    return lambda: mock.patch.object(owner, name, bad)


@contextmanager
def together(*patches: Patch) -> Iterator[None]:
    """Several patches as one."""
    first, *rest = patches
    with first:
        if rest:
            with together(*rest):
                yield
        else:
            yield
