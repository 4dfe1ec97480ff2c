"""The product's own settings on a fresh data folder of this test process; nothing else differs but the password hash."""

import atexit
import os
import shutil
import tempfile

DATA = tempfile.mkdtemp(prefix="holdfast-tests-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
atexit.register(shutil.rmtree, DATA, ignore_errors=True)
os.environ["DATA_DIR"] = DATA
for name in ("SECRET_KEY", "VAULT_KEYS", "ALLOWED_HOSTS", "BTSE_URL", "TETHER_URL", "TOKENS_NET_URL"):
    os.environ.pop(name, None)

from portfolio.settings import *  # noqa: E402, F403

ECB_URL = ""
"""Tests ask nobody but this computer."""

# Argon2 costs 50 ms a login by intent; its use in the product is tested by name.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
# WhiteNoise warns where the collected files are not; the tests serve them from where they are written.
STATIC_ROOT = DATA_DIR / "staticfiles"  # noqa: F405
STATIC_ROOT.mkdir()
WHITENOISE_USE_FINDERS = True
# Looked up when asked for; else each test's client lists all static files of all packages first.
WHITENOISE_AUTOREFRESH = True
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
if "sqlite3" in DATABASES["default"]["ENGINE"]:  # noqa: F405
    # A file, as in the product: SQLite in memory locks whole tables between threads, where WAL does not.
    DATABASES["default"]["TEST"] = {"NAME": f"{DATA}/test.sqlite3"}  # noqa: F405
