#!/usr/bin/env python
"""The command line of Holdfast."""

import os
import signal
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line, load_command_class
from django.db import DatabaseError

# These work on a file alone, so they start without settings, keys, apps or database: a tenth of the time.
FILE_COMMANDS = ("gains", "returns")

if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in FILE_COMMANDS:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # whoever reads may stop reading, as `head` does
        load_command_class("portfolio", sys.argv[1]).run_from_argv(sys.argv)
    else:
        # Only here: where settings are named, Django loads them even to close connections never opened.
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portfolio.settings")
        try:
            execute_from_command_line(sys.argv)
        except ImproperlyConfigured as error:
            sys.exit(f"Holdfast does not start: {error}")
        except DatabaseError as error:
            if "--traceback" in sys.argv:
                raise
            sys.exit(
                f"The database refused: {error}".strip().splitlines()[0] + ". Run: python manage.py doctor"
            )
