"""A worker's thread keeps its session with the database from task to task, and gets another where it has ended."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from celery.fixups.django import DjangoWorkerFixup
from django.db import InterfaceError, OperationalError, transaction
from django.db import connection as database

from accounts.models import User
from portfolio.celery import app, look_at_session

pytestmark = pytest.mark.django_db(transaction=True)
TASK = SimpleNamespace(request=SimpleNamespace(is_eager=False))


def in_a_thread(work: Callable[[], Any]) -> Any:
    """As a worker's thread does it, with a session of its own."""

    def whole() -> Any:
        try:
            return work()
        finally:
            database.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(whole).result()


def session() -> object:
    """The session in use, after a question."""
    User.objects.count()
    return database.connection


def between_tasks() -> None:
    """What Celery and we do before and after each task."""
    DjangoWorkerFixup(app).close_database()
    look_at_session(task=TASK)


def test_the_session_is_kept_from_task_to_task() -> None:
    def work() -> bool:
        first = session()
        between_tasks()
        return session() is first

    assert in_a_thread(work)


def test_a_session_in_which_a_transaction_was_left_open_is_not_used_again() -> None:
    def work() -> bool:
        first = session()
        transaction.set_autocommit(False)
        between_tasks()
        return session() is not first

    assert in_a_thread(work)


def test_a_session_that_was_ended_costs_no_task() -> None:
    if database.vendor == "sqlite":
        pytest.skip("a file ends no session")

    def work() -> bool:
        first = session()
        with pytest.raises((OperationalError, InterfaceError)), database.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        between_tasks()
        return session() is not first

    assert in_a_thread(work)


def test_a_session_that_was_ended_while_nobody_asked_costs_no_task() -> None:
    if database.vendor == "sqlite":
        pytest.skip("a file ends no session")

    def work() -> bool:
        first = session()
        with database.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pid = cursor.fetchone()[0]
        in_a_thread(lambda: end(pid))
        between_tasks()
        return session() is not first

    assert in_a_thread(work)


def end(pid: int) -> None:
    """End another session, as a restart of the server would."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
