"""Connects an account: key and secret come in on standard input, so that no shell remembers them."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser

from django.core.management.base import BaseCommand
from django.views.decorators.debug import sensitive_variables

from exchanges.catalog import EXCHANGES
from portfolio import sync
from portfolio.management.plainly import Failed, plainly, user_of

SHAPE = 'Give {"key": "…", "secret": "…"} on standard input.'


class Command(BaseCommand):
    """`manage.py connect`: checks the key against the exchange, then stores it sealed and prints the id."""

    help = 'Connect an account; {"key": …, "secret": …} is read from standard input.'

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose account, where, and what it is called."""
        parser.add_argument("--user", required=True, metavar="U", help="the user's e-mail address")
        parser.add_argument("--exchange", required=True, help=f"one of {', '.join(EXCHANGES)}")
        parser.add_argument("--label", required=True, metavar="L", help="what to call it")
        parser.add_argument("--no-check", action="store_true", help="store without asking the exchange")

    def handle(self, *, user: str, exchange: str, label: str, no_check: bool, **_: object) -> None:
        """Everything or nothing."""
        with plainly():
            owner = user_of(user)
            key, secret = read_key(sys.stdin.read())
            made = sync.add_connection(owner, exchange, label, key, secret, check=not no_check)
        self.stdout.write(str(made.pk))
        for warning in made.warnings:
            self.stderr.write(warning)


@sensitive_variables()
def read_key(text: str) -> tuple[str, str]:
    """Key and secret from the JSON on standard input; its text is never repeated in an error."""
    try:
        given = json.loads(text)
    except ValueError:
        raise Failed(f"Standard input is not JSON. {SHAPE}") from None
    if not isinstance(given, dict):
        raise Failed(f"Standard input is not a JSON object. {SHAPE}")
    key, secret = given.get("key"), given.get("secret")
    if not isinstance(key, str) or not isinstance(secret, str):
        raise Failed(f"“key” or “secret” is missing or not a text. {SHAPE}")
    return key, secret
