"""The other side of the transport: the sandbox exchange behind faults, and a note of every row that was sent.

Every call takes time, may grow the account, lose the worker its lease, or be the process's last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any, TypeVar
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import httpx2

from exchanges.sandbox.btse import Btse
from exchanges.sandbox.faults import Fault, Faults
from exchanges.sandbox.tether import Tether
from exchanges.sandbox.tokens_net import TokensNet
from exchanges.sandbox.web import Distortion, Exchange, Request
from tests.simulation.plan import Plan, Trouble
from tests.simulation.troubles import Clock, Crash

T = TypeVar("T")


class CappedBtse(Btse):
    """BTSE with shorter answers than asked for: nobody has documented how long they are."""

    def __init__(self, *args: Any, cap: int, **switches: Any) -> None:
        self.cap = cap
        super().__init__(*args, **switches)

    def _count(self, request: Request) -> int:
        return min(super()._count(request), self.cap)


APPS: dict[str, Callable[..., Exchange]] = {"btse": CappedBtse, "tether": Tether, "tokens_net": TokensNet}
LISTS = ("wallet_history", "trade_history", "transactions", "trades/all")
"""Parts of the paths of lists whose every row must end up in the store."""
ROW_ID = {"wallet_history": "orderId", "trade_history": "tradeId", "transactions": "id", "trades/all": "id"}


@dataclass
class Heard:
    """What one call has sent, as far as it is a list of rows."""

    path: str
    ids: set[str] = field(default_factory=set)
    nameless: int = 0
    """Rows whose id was spoilt."""


class Recorder:
    """Between the faults and the exchange: sees the rows of every answer, and spoils one where told to."""

    def __init__(self, app: WSGIApplication, dice: Random) -> None:
        self.spoil = False
        self.heard: Heard | None = None
        self._app = app
        self._dice = dice

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as the exchange does, and remember."""
        distortion: Distortion = environ.get("sandbox.distortion") or Distortion()
        path = str(environ.get("PATH_INFO", ""))
        self.heard = Heard(path=path)

        def rows(sent: list[Any]) -> list[Any]:
            return self._note(path, distortion.rows(sent))

        environ["sandbox.distortion"] = Distortion(
            shift=distortion.shift, behind=distortion.behind, late=distortion.late, rows=rows
        )
        return self._app(environ, start_response)

    def _note(self, path: str, rows: list[Any]) -> list[Any]:
        part = next((one for one in LISTS if one in path), None)
        if part is None or self.heard is None:
            return rows
        spoilt = self._dice.randrange(len(rows)) if self.spoil and rows else None
        for place, row in enumerate(rows):
            if place == spoilt:
                rows[place] = row = self._spoilt(row)
            if name := str(row[ROW_ID[part]]):
                self.heard.ids.add(name)
            else:
                self.heard.nameless += 1
        return rows

    def _spoilt(self, row: dict[str, Any]) -> dict[str, Any]:
        name, value = self._dice.choice(
            (("amount", "1_000"), ("amount", "NaN"), ("amount", None), ("id", ""), ("orderId", ""), ("amount", True))
        )  # fmt: skip
        broken = {**row, name: value}
        if "filledSize" in row:
            broken["filledSize"] = "1e400"
        if name not in row:
            broken |= {"amount": "--1"}
        return broken


class Wire(httpx2.BaseTransport):
    """What the product's HTTP client talks to."""

    def __init__(self, plan: Plan, dice: Random, clock: Clock, app: Exchange) -> None:
        self.app = app
        self.clock = clock
        self.calls = 0
        self.unanswered = 0
        """Calls that met a host that was down."""
        self.untrue = 0
        """Answers that did not say how things are."""
        self.off = False
        self.before: Callable[[httpx2.Request], None] = lambda request: None
        self.answered: Callable[[Heard], None] = lambda heard: None
        self.meanwhile: Callable[[Trouble], None] = lambda trouble: None
        self.told_to_wait: Callable[[float], None] = lambda seconds: None
        self._plan = plan
        self._dice = dice
        self._of = {what: Random(f"wire {plan.seed} {what}") for what in plan.rates}
        self._down_until = clock.true()
        self._recorder = Recorder(app, dice)
        self._faults = Faults(
            self._recorder,
            seed=str(plan.seed),
            reset=self._lost,
            sleep=clock.sleep,
            now=clock.true,
            stale=plan.behind,
            late=plan.behind,
        )
        self._inner = httpx2.WSGITransport(app=self._faults)
        self._wire_faults = [what for what in plan.rates if isinstance(what, Fault)]

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """One call of the product."""
        self.calls += 1
        self.before(request)
        self.clock.advance(self._dice.uniform(0.02, 0.4))
        if self._happens(Trouble.CONGESTION):
            self.clock.advance(self._dice.uniform(1, 40))
        if self._happens(Trouble.CRASH_AT_CALL):
            raise Crash("before a call")
        self._let_happen()
        answer = self._asked(request)
        self._let_happen()
        if self._happens(Trouble.CRASH_AT_CALL):
            raise Crash("after a call")
        return answer

    def _let_happen(self) -> None:
        """What goes on elsewhere, as often before the answer as after it."""
        for trouble in MEANWHILE:
            if self._happens(trouble) and self._of[trouble].random() < 0.5:
                self.meanwhile(trouble)

    def _asked(self, request: httpx2.Request) -> httpx2.Response:
        if self._happens(Trouble.OUTAGE):
            self._down_until = self.clock.true() + timedelta(seconds=self._dice.choice(OUTAGES))
        if not self.off and self.clock.true() < self._down_until:
            self.unanswered += 1
            raise httpx2.ConnectError("the host is down")
        fault = next((what for what in self._wire_faults if self._happens(what)), None)
        if fault is Fault.WRONG_CLOCK:
            self._faults.clock = timedelta(seconds=self._dice.uniform(-7200, 7200))
        if fault is not None:
            self._faults.plan(fault)
            self.untrue += fault in UNTRUE
        self._recorder.spoil = self._happens(Trouble.SPOIL)
        self._recorder.heard = None
        answer = self._inner.handle_request(request)
        if answer.status_code == 429 and "retry-after" in answer.headers:
            self.told_to_wait(float(answer.headers["retry-after"]))
        heard = self._recorder.heard
        if heard is not None and answer.status_code == 200 and fault not in UNHEARD:
            self.answered(heard)
        return answer

    def _lost(self, reason: str) -> Exception:
        return self._dice.choice((httpx2.ReadError, httpx2.ReadTimeout, httpx2.ConnectError))(reason)

    def _happens(self, what: Fault | Trouble) -> bool:
        rate = self._plan.rate(what)
        return bool(rate) and not self.off and self._of[what].random() < rate


MEANWHILE = (Trouble.GROW, Trouble.REMOVE, Trouble.FREEZE)
OUTAGES = (5, 60, 900, 7200)
"""For how many seconds a host is down."""
UNTRUE = {Fault.STALE, Fault.LATE_ROWS, Fault.EMPTY_PAGE, Fault.WRONG_CLOCK}
UNHEARD = {Fault.CUT_BODY, Fault.NAN, Fault.DUPLICATE_KEYS}
"""Answers that cannot be read as a whole: nothing of them may be believed."""
