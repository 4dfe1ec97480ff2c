"""`python -m benchmarks.inside NAME …`: sets the product up, then runs the measurement of that name."""

import importlib
import os
import sys

import django
from django.core.management import call_command

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portfolio.settings")
django.setup()
call_command("migrate", interactive=False, verbosity=0)
call_command("createcachetable", verbosity=0)
sys.exit(importlib.import_module(f"benchmarks.inside.{sys.argv[1]}").main(sys.argv[2:]))
