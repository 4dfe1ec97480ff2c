"""The words of the gains pages for what the store keeps as codes. Knows no model."""

from __future__ import annotations

from django import template

register = template.Library()

REASONS = {
    "sale": "Sold for money",
    "trade": "Given for another asset",
    "redeemed": "Redeemed at the issuer",
    "spent": "Spent",
    "fee": "Paid as a fee",
    "income": "Income",
}
MATCHES = {
    "lot": "own lot",
    "pool": "pool at average",
    "same_day": "same day",
    "thirty_days": "bought within 30 days after",
    "missing": "nothing was held",
}
PROBLEMS = {
    "unpriced": "no price on that day: counted as zero",
    "cost_unknown": "cost unknown: market value of the day assumed",
    "moved_away": "moved away, still yours as far as we know",
    "one_sided": "an exchange with one side missing",
    "short": "more disposed of than was held: the missing part at zero cost",
    "par_assumed": "no price: the token's promise counted",
    "too_large": "beyond all belief: left out of the gains",
}
ADVICE = {
    "unpriced": "Give a price of that day.",
    "cost_unknown": "Say what it cost, or confirm it as an own transfer.",
    "moved_away": "Confirm where it arrived, or say that it was spent.",
    "one_sided": "Leave the row out, or say what it cost.",
    "short": "Something that came in is missing: add it, or match a transfer.",
    "par_assumed": "Give a price of that day.",
    "too_large": "Ask the exchange what this row is; leave it out if it is a mistake.",
}


@register.filter
def reason_title(code: str) -> str:
    """Why something was disposed of; an asset's name stays itself."""
    return REASONS.get(code, code)


@register.filter
def match_title(code: str) -> str:
    """Where a cost came from."""
    return MATCHES.get(code, code)


@register.filter
def problem_title(code: str) -> str:
    """What is open."""
    return PROBLEMS.get(code, code)


@register.filter
def problem_advice(code: str) -> str:
    """What can be done about it."""
    return ADVICE.get(code, "")


@register.filter
def ledger_row(source: str) -> str:
    """The number of the ledger row that a source names; empty for others."""
    return source[1:] if source.startswith("t") else ""
