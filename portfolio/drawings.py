"""Figures of returns and bridges as plain dicts: a waterfall, worth beside its benchmarks, and the falls below the high.

Like `charts` they name colours of the stylesheet, and only here amounts become floats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from portfolio.bridge import Bar, Total
from portfolio.performance import Report
from portfolio.returns import Day

Figure = dict[str, Any]
POINTS = 400
COLOURS = {"BTC": "var(--chart-2)", "ETH": "var(--chart-6)", "USD": "var(--chart-8)"}
ZERO = Decimal(0)


def waterfall(total: Total) -> Figure:
    """From the opening through every bar that is something to the closing, from top to bottom."""
    names, bases, lengths, colours = ["Opening"], [ZERO], [total.opening], ["var(--accent)"]
    level = total.opening
    for bar in Bar:
        amount = total.bars[bar]
        if amount:
            names.append(bar.value.capitalize())
            bases.append(level)
            lengths.append(amount)
            colours.append("var(--good)" if amount > 0 else "var(--bad)")
            level += amount
    names, bases, lengths = [*names, "Closing"], [*bases, ZERO], [*lengths, total.closing]
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": names,
        "base": [float(base) for base in bases],
        "x": [float(length) for length in lengths],
        "marker": {"color": [*colours, "var(--accent)"]},
        "customdata": [float(length) for length in lengths],
        "hovertemplate": "%{y}<br>%{customdata:,.2f}<extra></extra>",
    }
    return _figure(
        [bars],
        money=["xaxis"],
        xaxis=_axis(tickformat=",.3~s"),
        yaxis=_axis(autorange="reversed", type="category", showgrid=False),
    )


def comparison(report: Report) -> Figure:
    """What it was worth, and what the same money would have been worth elsewhere."""
    traces = [_line(_points(report.series.days), "Yours", "var(--accent)", 2)]
    for benchmark in report.benchmarks:
        if benchmark.days:
            name = "Left in USD" if benchmark.name == "USD" else f"In {benchmark.name}"
            traces.append(_line(_points(benchmark.days), name, COLOURS[benchmark.name], 1))
    return _figure(traces, money=["yaxis"], showlegend=True, yaxis=_axis(tickformat=",.3~s"))


def falls(index: Mapping[date, tuple[Decimal, Decimal]]) -> Figure:
    """How far below its high the index was, in percent."""
    days = [(day, fall * 100) for day, (_, fall) in sorted(index.items())]
    line = _line(_spread(days), "Below the high", "var(--bad)", 1) | {"fill": "tozeroy"}
    line["hovertemplate"] = "%{x|%d %b %Y}<br>%{y:.2f} %<extra></extra>"
    return _figure([line], money=[], yaxis=_axis(ticksuffix=" %"))


def _points(days: Sequence[Day]) -> list[tuple[date, Decimal | None]]:
    return _spread([(day.on, day.value) for day in days])


def _spread(points: Sequence[Any]) -> list[Any]:
    """At most so many points as can be seen; the last one stays."""
    step = len(points) // POINTS + 1
    return [point for n, point in enumerate(points) if (len(points) - 1 - n) % step == 0]


def _line(points: Sequence[tuple[date, Decimal | None]], name: str, colour: str, width: float) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": [day.isoformat() for day, _ in points],
        "y": [None if value is None else float(value) for _, value in points],
        "connectgaps": False,
        "line": {"color": colour, "width": width},
        "hovertemplate": "%{x|%d %b %Y}<br>%{y:,.2f}<extra>" + name + "</extra>",
    }


def _axis(**more: Any) -> Figure:
    line = "var(--line)"
    return {
        "gridcolor": line,
        "linecolor": line,
        "zeroline": False,
        "fixedrange": True,
        "automargin": True,
        **more,
    }


def _figure(traces: list[Figure], *, money: list[str], **layout: Any) -> Figure:
    """`meta.money_axes` tells the script which figures to hide when amounts are hidden."""
    base = {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": "var(--ink)", "size": 12},
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "showlegend": False,
        "hovermode": "closest",
        "xaxis": _axis(showgrid=False),
        "yaxis": _axis(),
        "legend": {"orientation": "h", "y": -0.15},
        "meta": {"money": bool(money), "money_axes": money},
    }
    return {"data": traces, "layout": base | layout}
