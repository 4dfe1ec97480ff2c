"""What a planted bug is: how to put it in, and at which exchanges the code that it spoils runs at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple
from unittest import mock

from exchanges.sandbox.faults import Fault
from tests.simulation.plan import EXCHANGES, Plan, Profile, Trouble

Patch = AbstractContextManager[object]


class Bug(NamedTuple):
    """One deliberate mistake."""

    plant: Callable[[], Patch]
    exchanges: tuple[str, ...] = EXCHANGES
    needs: Callable[[Plan], bool] = lambda plan: True
    """What a history must have for the spoilt code to make a difference."""

    def can_show(self, plan: Plan) -> bool:
        """Whether a seed may ever catch it; one that cannot need not be run."""
        return plan.exchange in self.exchanges and self.needs(plan)


def meets(*troubles: Fault | Trouble) -> Callable[[Plan], bool]:
    """A history in which one of these comes."""
    return lambda plan: any(plan.rate(what) for what in troubles)


def is_lied_to(plan: Plan) -> bool:
    """A history with walks over everything, and gaps before them."""
    return plan.profile is Profile.LYING


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
