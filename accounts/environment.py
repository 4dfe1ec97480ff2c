"""Reads the environment for the settings and names the variable that is wrong. Knows no setting."""

from __future__ import annotations

from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from accounts.keyfiles import KeyFileError, check_named_file

KEYS = frozenset({"SECRET_KEY", "VAULT_KEYS"})
SWITCH = frozenset({"true", "on", "ok", "y", "yes", "1", "false", "off", "n", "no", "0", ""})


class Environment(environ.FileAwareEnv):
    """django-environ that also reads NAME_FILE and says which variable it stumbled over."""

    def get_value(self, var: str, *args: Any, **kwargs: Any) -> Any:
        """The value, cast; raises ImproperlyConfigured with the variable's name."""
        try:
            check_named_file(self.ENVIRON.env, var, private=var in KEYS)
            if kwargs.get("cast") is bool and str(self.ENVIRON.get(var, "")).strip().lower() not in SWITCH:
                raise ValueError("write on or off")
            return super().get_value(var, *args, **kwargs)
        except KeyFileError as error:
            raise ImproperlyConfigured(str(error)) from error
        except (ValueError, TypeError) as error:
            raise ImproperlyConfigured(f"{var} is wrong: {error}.") from error
