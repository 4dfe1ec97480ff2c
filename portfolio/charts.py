"""Figures as plain dicts for Plotly's basic bundle (scatter, bar, pie): the only place where amounts become floats.

Colours are names of the stylesheet's custom properties; the drawing script looks them up, so that light and dark work.
Texts from exchanges lose < and >, because Plotly reads a few tags.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby, pairwise
from typing import Any, TypeVar

from portfolio.looks import COINS, AssetPoint, Money, Point
from portfolio.performance import Benchmark
from portfolio.rates import USD, DayPrice, Price, closing_time
from portfolio.returns import Day
from portfolio.valuation import Part

Figure = dict[str, Any]
Row = TypeVar("Row")
POINTS = 400
SLICES = 8
ACCENT, MUTED, LINE, TEXT = "var(--accent)", "var(--muted)", "var(--line)", "var(--ink)"
SERIES = [f"var(--chart-{n})" for n in range(1, SLICES + 1)]
CLEAR = "rgba(0,0,0,0)"
ELSEWHERE = {"BTC": "var(--chart-2)", "ETH": "var(--chart-6)", "USD": "var(--chart-8)"}
IN_USD = Money()


def worth_figure(
    points: Sequence[Point], currency: str = USD, benchmarks: Iterable[Benchmark] = ()
) -> Figure:
    """Net worth over time: gaps stay open, what is uncertain is dashed; beside it what the same money was elsewhere."""
    shown = _spread(points, lambda point: point.value is None)
    x = [_time(point.at) for point in shown]
    sure = [None if point.uncertain else _number(point.value) for point in shown]
    traces = [_line(x, sure, "Yours", ACCENT)]
    if any(point.uncertain for point in shown):
        unsure = [_number(point.value) if _touches(shown, n) else None for n, point in enumerate(shown)]
        traces.append(_line(x, unsure, "Uncertain", ACCENT) | {"line": _stroke(ACCENT, dash="dot")})
    others = [_elsewhere(each, points[-1].at) for each in benchmarks if each.days and points]
    for trace in [*traces, *others]:
        trace["hovertemplate"] = _hover(currency, "%{x|%d %b %Y %H:%M}", trace["name"] if others else "")
    axis = _axis(**_ticks(currency))
    return _figure([*traces, *others], money=["yaxis"], showlegend=bool(others), yaxis=axis)


def _elsewhere(benchmark: Benchmark, end: datetime) -> Figure:
    """One benchmark as a thin line; its last day ends when the line of worth does."""
    days: Sequence[Day] = _spread(benchmark.days, lambda day: day.value is None)
    x = [_time(min(closing_time(day.on), end)) for day in days]
    name = "Left in USD" if benchmark.name == USD else f"In {benchmark.name}"
    colour = ELSEWHERE[benchmark.name]
    return _line(x, [_number(day.value) for day in days], name, colour) | {
        "line": _stroke(colour, width=1.25)
    }


def allocation_figure(parts: Sequence[Part], money: Money = IN_USD) -> Figure:
    """A ring of what is priced, the small parts together."""
    slices = _slices(parts, money)
    ring = {
        "type": "pie",
        "hole": 0.62,
        "sort": False,
        "direction": "clockwise",
        "labels": [label for label, _ in slices],
        "values": [_number(value) for _, value in slices],
        "marker": {"colors": _colours(len(slices)), "line": {"color": "var(--surface)", "width": 2}},
        "textinfo": "none",
        "hovertemplate": f"%{{label}}<br>{_amount(money.currency, 'value')}<br>%{{percent}}<extra></extra>",
    }
    return _figure([ring], money=[], showlegend=True)


def asset_figure(days: Sequence[AssetPoint], currency: str = USD) -> Figure:
    """One asset: its quantity as steps, its value as a line on an axis of its own."""
    shown = _spread(days, lambda day: day.value is None)
    x = [day.day.isoformat() for day in shown]
    quantity = _line(x, [_number(day.quantity) for day in shown], "Quantity", SERIES[1])
    quantity |= {
        "line": _stroke(SERIES[1], shape="hv"),
        "yaxis": "y2",
        "hovertemplate": "%{x|%d %b %Y}<br>%{y}<extra></extra>",
    }
    value = _line(x, [_number(day.value) for day in shown], "Value", ACCENT)
    value |= {"hovertemplate": _hover(currency, "%{x|%d %b %Y}")}
    return _figure(
        [value, quantity],
        money=["yaxis", "yaxis2"],
        showlegend=True,
        yaxis=_axis(**_ticks(currency)),
        yaxis2=_axis(overlaying="y", side="right", showgrid=False),
    )


def rate_figure(days: Iterable[DayPrice], now: Price | None = None) -> Figure:
    """The daily price of one asset, days without one left open, with the current one at the end."""
    known = sorted(days, key=lambda day: day.day)
    points: list[tuple[str, Decimal | None]] = []
    for before, day in zip([None, *known], known, strict=False):
        if before and (day.day - before.day).days > 1:
            points.append((_time(before.at), None))
        points.append((day.day.isoformat(), day.usd))
    if now:
        points.append((_time(now.at), now.usd))
    shown = _spread(points, lambda point: point[1] is None)
    line = _line([x for x, _ in shown], [_number(price) for _, price in shown], "Price", ACCENT)
    line["hovertemplate"] = "%{x|%d %b %Y}<br>%{y:$,.6~g}<extra></extra>"
    return _figure([line], money=[], yaxis=_axis(tickprefix="$", tickformat=",.6~g"))


def sparkline(values: Sequence[Decimal | None], width: int = 96, height: int = 24) -> str:
    """The `d` of an SVG path through the values, left to right; a gap lifts the pen; empty for fewer than two."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return ""
    low, high = min(known), max(known)
    across = Decimal(width - 2) / (len(values) - 1)
    up = Decimal(height - 2) / (high - low) if high > low else Decimal(0)
    level = Decimal(1) if high > low else Decimal(height) / 2
    strokes = []
    for present, run in groupby(enumerate(values), key=lambda item: item[1] is not None):
        if present:
            points = [
                f"{1 + n * across:.1f} {height - level - (value - low) * up:.1f}"
                for n, value in run
                if value is not None
            ]
            strokes.append("M" + "L".join(points))
    return "".join(strokes)


def plain_text(text: str) -> str:
    """A name without what Plotly would read as a tag."""
    return text.replace("<", "").replace(">", "")


def _spread(points: Sequence[Row], is_gap: Callable[[Row], bool]) -> Sequence[Row]:
    """Every n-th point where there are more than can be drawn: the first, the last, and every gap between stay."""
    if len(points) <= POINTS:
        return points
    step = (len(points) - 1) / (POINTS - 1)
    places = [round(n * step) for n in range(POINTS)]
    kept = [points[0]]
    for before, place in pairwise(places):
        gap = next((point for point in points[before + 1 : place] if is_gap(point)), None)
        kept += [points[place]] if gap is None else [gap, points[place]]
    return kept


def _touches(points: Sequence[Point], n: int) -> bool:
    """Whether a point belongs to the dashed line: itself or a neighbour is uncertain, so that the lines meet."""
    return any(point.uncertain for point in points[max(0, n - 1) : n + 2])


def _slices(parts: Sequence[Part], money: Money = IN_USD) -> list[tuple[str, Decimal]]:
    valued = [(plain_text(part.label), money.shown(part.value_usd)) for part in parts]
    worth = [(label, value) for label, value in valued if value and value > 0]
    worth.sort(key=lambda one: -one[1])
    if len(worth) <= SLICES:
        return worth
    rest = sum((value for _, value in worth[SLICES - 1 :]), Decimal(0))
    return [*worth[: SLICES - 1], (f"{len(worth) - SLICES + 1} others", rest)]


def _colours(count: int) -> list[str]:
    return SERIES[:count]


def _line(x: list[str], y: list[float | None], name: str, colour: str) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines" if len(x) > 1 else "markers",
        "name": name,
        "x": x,
        "y": y,
        "connectgaps": False,
        "line": _stroke(colour),
        "marker": {"color": colour},
    }


def _ticks(currency: str) -> Figure:
    """How an axis writes amounts: dollars with their sign in front, coins without letters for thousandths."""
    if currency == USD:
        return {"tickprefix": "$", "tickformat": ",.4~s"}
    return {"ticksuffix": f" {currency}", "tickformat": ",.4~g" if currency in COINS else ",.4~s"}


def _amount(currency: str, name: str = "y") -> str:
    """An amount in a label that is read on the line."""
    if currency == USD:
        return f"%{{{name}:$,.2f}}"
    return f"%{{{name}:{',.8~f' if currency in COINS else ',.2f'}}} {currency}"


def _hover(currency: str, time: str, name: str = "") -> str:
    return f"{time}<br>{_amount(currency)}<extra>{name}</extra>"


def _stroke(colour: str, **more: Any) -> Figure:
    return {"color": colour, "width": 2, "shape": "linear", **more}


def _axis(**more: Any) -> Figure:
    return {
        "gridcolor": LINE,
        "linecolor": LINE,
        "zeroline": False,
        "fixedrange": True,
        "automargin": True,
        **more,
    }


def _figure(traces: list[Figure], *, money: list[str], **layout: Any) -> Figure:
    """`meta.money_axes` tells the script which figures to hide when amounts are hidden."""
    base = {
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "font": {"color": TEXT, "size": 12},
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "showlegend": False,
        "hovermode": "closest",
        "xaxis": _axis(showgrid=False),
        "yaxis": _axis(),
        "legend": {"orientation": "h", "y": -0.15},
        "meta": {"money": bool(money) or traces[0]["type"] == "pie", "money_axes": money},
    }
    return {"data": traces, "layout": base | layout}


def _number(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)


def _time(at: datetime) -> str:
    return f"{at.isoformat()[:19]}Z"
