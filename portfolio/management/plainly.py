"""How commands fail: one sentence that says what to do, exit code 1, nothing half stored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import DatabaseError

from accounts.models import User
from accounts.sealing import SealError
from exchanges.errors import ExchangeError
from portfolio.sync import InputRefused


class Failed(CommandError):
    """A sentence for the user."""


@contextmanager
def plainly() -> Iterator[None]:
    """Turn what users and their machines do wrong into one sentence; our own faults keep their trace."""
    try:
        yield
    except InputRefused as error:
        raise Failed(str(error)) from None
    except ExchangeError as error:
        raise Failed(said(error)) from None
    except SealError as error:
        raise Failed(f"{error} Look at VAULT_KEYS.") from None
    except DatabaseError as error:
        raise Failed(about_database(error)) from None


def said(error: ExchangeError) -> str:
    """What the exchange said, and the advice where the sentence does not hold it already."""
    return error.sentence if error.advice in error.sentence else f"{error.sentence} {error.advice}"


def about_database(error: DatabaseError) -> str:
    """What is wrong with the database, as far as its own words tell."""
    words = str(error).lower()
    if "readonly" in words or "read-only" in words:
        return (
            "The database is read-only: nothing was stored. Make its file and folder writable for this user."
        )
    if "full" in words or "no space" in words or "disk i/o" in words:
        return "The database's disk is full: nothing was stored. Make room and run the command again."
    if "no such table" in words or "does not exist" in words:
        return "The database is not prepared. Run “manage.py setup” first."
    if "locked" in words:
        return "The database is busy: nothing was stored. Run the command again in a moment."
    return "The database could not be used: nothing was stored. Look at DATABASE_URL and whether it runs."


def user_of(email: str) -> User:
    """The user of that address."""
    found = User.objects.filter(email__iexact=email.strip()).first()
    if found is None:
        raise Failed(
            f"There is no user “{email}”. Use the address of an account, or make one with createsuperuser."
        )
    return found
