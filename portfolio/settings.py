"""How the application is set up: from the environment alone, loudly wrong where it is wrong."""

SECRET_KEY = "replaced at once"
INSTALLED_APPS: list[str] = []
USE_TZ = True
