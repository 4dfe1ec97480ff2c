"""What an error of Tether.to means: an object with `error` is one, whatever its HTTP status.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from exchanges import wire
from exchanges.errors import ExchangeError
from exchanges.replies import judge_status


def judge(status: int, value: wire.Value, headers: Mapping[str, str]) -> None:
    """Raise what an answer with an `error` means; it counts as one whatever its HTTP status."""
    if not isinstance(value, dict) or not value.get("error"):
        return
    said = value["error"] if isinstance(value["error"], str) else wire.dump(value["error"])
    code = wire.word(value.get("code"))
    named = int(code) if re.fullmatch(r"[45][0-9]{2}", code) else 400
    try:
        judge_status(status if status >= 400 else named)
    except ExchangeError as error:
        raise type(error)(str(error), said=said) from None
