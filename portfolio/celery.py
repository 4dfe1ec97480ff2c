"""The Celery application: where tasks wait, who runs them, and what beat wakes.

The queue is disposable: every due piece of work can be read off the database again.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import task_postrun, task_prerun, worker_init
from django.conf import settings
from django.db import close_old_connections
from django.utils.module_loading import import_string
from kombu.transport import TRANSPORT_ALIASES

from portfolio.broker import tidy

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portfolio.settings")
TRANSPORT_ALIASES["folder"] = "portfolio.broker:Transport"

app = Celery("holdfast", set_as_current=True)


def configuration(broker_url: str, data_dir: Path, rates_every: int = 300) -> dict[str, Any]:
    """Celery's settings for a broker: without a server it is a folder, else Redis with prompt redelivery."""
    embedded = broker_url.startswith("filesystem")
    queue = str(data_dir / "broker")
    options: dict[str, Any] = (
        {
            "data_folder_in": queue,
            "data_folder_out": queue,
            "control_folder": str(data_dir / "broker-control"),
            "store_processed": False,
            "polling_interval": 0.1,
        }
        if embedded
        else {
            # A killed worker's task came back after 10.7 s with these, after an hour without.
            "visibility_timeout": 300,
            "unacked_restore_interval": 2,
            "unacked_restore_throttle": 1,
        }
    )
    return {
        "broker_url": "folder://localhost" if embedded else broker_url,
        "broker_transport_options": options,
        "broker_connection_retry_on_startup": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_ignore_result": True,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,
        "worker_hijack_root_logger": False,
        "worker_send_task_events": False,
        # Celery would end a thread's session with the database before and after each task: `look_at_session` sees to it.
        "CELERY_DB_REUSE_MAX": sys.maxsize,
        "enable_utc": True,
        "timezone": "UTC",
        "task_soft_time_limit": None if embedded else 1500,
        "beat_schedule_filename": str(data_dir / "beat-schedule"),
        "beat_schedule": {
            "dispatch": {
                "task": "portfolio.tasks.dispatch",
                "schedule": timedelta(seconds=5),
                "options": {"expires": 5},
            },
            "rates": {
                "task": "portfolio.tasks.refresh_rates",
                "schedule": timedelta(seconds=rates_every),
                "options": {"expires": rates_every},
            },
            "day": {
                "task": "portfolio.tasks.close_day",
                "schedule": timedelta(hours=1),
                "options": {"expires": 3600},
            },
        },
    }


for _folder in ("broker", "broker-control") if settings.BROKER_URL.startswith("filesystem") else ():
    (settings.DATA_DIR / _folder).mkdir(mode=0o700, exist_ok=True)
app.conf.update(configuration(settings.BROKER_URL, settings.DATA_DIR, settings.RATES_EVERY_SECONDS))
app.autodiscover_tasks(["portfolio"])


@worker_init.connect  # type: ignore[untyped-decorator]
def refuse_wrong_keys(**_: Any) -> None:
    """A worker does not start with vault keys that open nothing; by name, since the models load later than this."""
    import_string("accounts.checks.refuse_to_start")()


@worker_init.connect  # type: ignore[untyped-decorator]
def count_threads(sender: Any, **_: Any) -> None:
    """No host and no user may take all threads of this worker."""
    import_string("portfolio.sync.crowd.CROWD").threads = sender.concurrency


@task_prerun.connect  # type: ignore[untyped-decorator]
@task_postrun.connect  # type: ignore[untyped-decorator]
def look_at_session(task: Any, **_: Any) -> None:
    """A thread keeps its session with the database; one that is broken, or older than a minute, ends between tasks."""
    if not task.request.is_eager:
        close_old_connections()


@worker_init.connect  # type: ignore[untyped-decorator]
def clear_away(**_: Any) -> None:
    """What a killed process left in the queue's folder goes."""
    tidy(settings.DATA_DIR / "broker")
