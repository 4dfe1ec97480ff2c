"""What can be exported, as rows of plain values in a stable order of fields; users script against these names.

To add one: write a function (user, moment) -> rows and name it in EXPORTS. `moment` is "as of": what was valid then,
as far as it is known now. Amounts and prices are decimal texts, times ISO 8601 in UTC with Z.
"""

from portfolio.exports.rows import EXPORTS, Export, Row
from portfolio.exports.write import FORMATS, write

__all__ = ["EXPORTS", "FORMATS", "Export", "Row", "write"]
