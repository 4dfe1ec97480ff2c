"""How verdicts of proofs are written: a tone for the badge and a word. Knows no model row."""

from __future__ import annotations

from django import template

from portfolio.models import Verdict

register = template.Library()

TONES = {
    Verdict.PROVED: "good",
    Verdict.ASSUMED: "good",
    Verdict.UNEXPLAINED: "bad",
    Verdict.NO_LEDGER: "",
    Verdict.INCOMPLETE: "warn",
}
MEANINGS = {
    Verdict.PROVED: "Every balance is exactly what the ledger says.",
    Verdict.ASSUMED: "The sums are exact, with an assumption that is named.",
    Verdict.UNEXPLAINED: "Something moved that the ledger does not tell.",
    Verdict.NO_LEDGER: "The exchange offers no list of what moved here, so nobody could prove it.",
    Verdict.INCOMPLETE: "The ledger has not been read, or does not reach back, far enough to tell.",
}


@register.filter
def verdict_tone(verdict: str) -> str:
    """The tone of its badge; empty for what is nobody's fault."""
    return TONES[Verdict(verdict)]


@register.filter
def verdict_word(verdict: str) -> str:
    """The verdict as a person reads it."""
    return str(Verdict(verdict).label)


@register.filter
def verdict_meaning(verdict: str) -> str:
    """What it means, in one sentence."""
    return MEANINGS[Verdict(verdict)]
