"""Small readings of what a run noted about its calls. Knows no model."""

from __future__ import annotations

from collections.abc import Mapping

from django import template

register = template.Library()


@register.filter
def failures(ended: Mapping[str, int]) -> list[tuple[str, int]]:
    """How the calls of a path ended that were not answered, the most frequent first."""
    found = [(name, count) for name, count in ended.items() if name != "ok"]
    return sorted(found, key=lambda one: (-one[1], one[0]))
