"""What is the same in every answer is rendered once: links, icons and the like, by the few words they depend on."""

from __future__ import annotations

from collections.abc import Sequence

from django import template
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.template.context import Context
from django.urls import get_script_prefix
from django.utils.safestring import SafeString

register = template.Library()

MOST = 64
"""So many answers are kept; the words must be of a small closed set, and never a person's."""


class Steady(template.Node):
    """A stretch of a template, rendered once for each of its words."""

    def __init__(self, nodelist: NodeList, words: Sequence[FilterExpression]) -> None:
        """Nothing in `nodelist` may depend on anything but `words`."""
        self.nodelist = nodelist
        self.words = words
        self.kept: dict[tuple[str, ...], SafeString] = {}

    def render(self, context: Context) -> SafeString:
        """As kept, or rendered now."""
        key = (get_script_prefix(), *(str(word.resolve(context)) for word in self.words))
        if key in self.kept:
            return self.kept[key]
        text = self.nodelist.render(context)
        if len(self.kept) < MOST:
            self.kept[key] = text
        return text


@register.tag
def steady(parser: Parser, token: Token) -> Steady:
    """`{% steady word … %}`: render what follows once for each value of the words."""
    words = [parser.compile_filter(word) for word in token.split_contents()[1:]]
    nodelist = parser.parse(("endsteady",))
    parser.delete_first_token()
    return Steady(nodelist, words)
