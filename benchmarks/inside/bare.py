"""A bare template page beside the product's pages: a table of ten columns, one variable a cell, nothing else."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path

CELL = "1,234,567.89"
COLUMNS = 10
_MARKS = ('<td class="num"><span class="private">', "</span></td>")
ROW_BYTES = (len(CELL) + sum(map(len, _MARKS))) * COLUMNS + len("<tr></tr>\n")
_TABLE = f"""<!doctype html><html lang="en"><head><title>Bare</title></head><body><table>
{{% for row in rows %}}<tr>{{% for cell in row %}}{_MARKS[0]}{{{{ cell }}}}{_MARKS[1]}{{% endfor %}}</tr>
{{% endfor %}}</table></body></html>"""


@cache
def _template() -> Any:
    return engines["django"].from_string(_TABLE)


def bare(request: HttpRequest, rows: int) -> HttpResponse:
    """The middleware has looked up the session and who asks, as for every page."""
    assert request.user.is_authenticated
    return HttpResponse(_template().render({"rows": [[CELL] * COLUMNS] * rows}, request))


urlpatterns = [path("bare/<int:rows>/", bare), path("", include("portfolio.urls"))]
