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

from portfolio.rates import DayPrice, Price
from portfolio.valuation import AssetDay, Part, WorthAt

Figure = dict[str, Any]
Row = TypeVar("Row")
POINTS = 400
SLICES = 8
ACCENT, MUTED, LINE, TEXT = "var(--accent)", "var(--muted)", "var(--line)", "var(--ink)"
SERIES = [f"var(--chart-{n})" for n in range(1, SLICES + 1)]
CLEAR = "rgba(0,0,0,0)"
USD_HOVER = "%{x|%d %b %Y %H:%M}<br>%{y:$,.2f}<extra></extra>"
DAY_HOVER = "%{x|%d %b %Y}<br>%{y:$,.2f}<extra></extra>"


def worth_figure(points: Sequence[WorthAt]) -> Figure:
    """Net worth over time: gaps stay open, what is uncertain is dashed."""
    shown = _spread(points, lambda point: point.value_usd is None)
    x = [_time(point.at) for point in shown]
    sure = [None if point.uncertain else _number(point.value_usd) for point in shown]
    unsure = [_number(point.value_usd) if _touches(shown, n) else None for n, point in enumerate(shown)]
    traces = [_line(x, sure, "Net worth", ACCENT)]
    if any(value is not None for value in unsure):
        traces.append(_line(x, unsure, "Uncertain", ACCENT) | {"line": _stroke(ACCENT, dash="dot")})
    return _figure(traces, money=["yaxis"], yaxis=_axis(tickprefix="$", tickformat=",.4~s"))


def allocation_figure(parts: Sequence[Part]) -> Figure:
    """A ring of what is priced, the small parts together."""
    slices = _slices(parts)
    ring = {
        "type": "pie",
        "hole": 0.62,
        "sort": False,
        "direction": "clockwise",
        "labels": [label for label, _ in slices],
        "values": [_number(value) for _, value in slices],
        "marker": {"colors": _colours(len(slices)), "line": {"color": "var(--surface)", "width": 2}},
        "textinfo": "none",
        "hovertemplate": "%{label}<br>%{value:$,.2f}<br>%{percent}<extra></extra>",
    }
    return _figure([ring], money=[], showlegend=True)


def allocation_bars(parts: Sequence[Part]) -> Figure:
    """The same as lying bars, the largest on top."""
    slices = _slices(parts)
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": [label for label, _ in slices],
        "x": [_number(value) for _, value in slices],
        "marker": {"color": _colours(len(slices))},
        "hovertemplate": "%{y}<br>%{x:$,.2f}<extra></extra>",
    }
    axes = {
        "xaxis": _axis(tickprefix="$", tickformat=",.4~s"),
        "yaxis": _axis(autorange="reversed", type="category"),
    }
    return _figure([bars], money=["xaxis"], **axes)


def asset_figure(days: Sequence[AssetDay]) -> Figure:
    """One asset: its quantity as steps, its value as a line on an axis of its own."""
    shown = _spread(days, lambda day: day.value_usd is None)
    x = [day.day.isoformat() for day in shown]
    quantity = _line(x, [_number(day.quantity) for day in shown], "Quantity", SERIES[1])
    quantity |= {
        "line": _stroke(SERIES[1], shape="hv"),
        "yaxis": "y2",
        "hovertemplate": "%{x|%d %b %Y}<br>%{y}<extra></extra>",
    }
    value = _line(x, [_number(day.value_usd) for day in shown], "Value", ACCENT)
    value |= {"hovertemplate": DAY_HOVER}
    return _figure(
        [value, quantity],
        money=["yaxis", "yaxis2"],
        showlegend=True,
        yaxis=_axis(tickprefix="$", tickformat=",.4~s"),
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


def _touches(points: Sequence[WorthAt], n: int) -> bool:
    """Whether a point belongs to the dashed line: itself or a neighbour is uncertain, so that the lines meet."""
    return any(point.uncertain for point in points[max(0, n - 1) : n + 2])


def _slices(parts: Sequence[Part]) -> list[tuple[str, Decimal]]:
    worth = [
        (plain_text(part.label), part.value_usd) for part in parts if part.value_usd and part.value_usd > 0
    ]
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
        "hovertemplate": USD_HOVER,
    }


def _stroke(colour: str, **more: str) -> Figure:
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
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
