"""The entry for web servers."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application
from django.utils.module_loading import import_string

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portfolio.settings")
application = get_wsgi_application()
# By name: the models can be imported only now.
import_string("accounts.checks.refuse_to_start")()
