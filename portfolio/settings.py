"""How the application is set up: from the environment alone, loudly wrong where it is wrong.

Every variable is in docs/configuration.md; `NAME_FILE` is read for each as well.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django_stubs_ext
import structlog
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.db.models import DecimalField

from accounts.environment import Environment
from accounts.keyfiles import KeyFileError, secret_key, vault_keys
from exchanges.catalog import EXCHANGES

# Lets Django's generic classes be written with their parameters at run time too.
django_stubs_ext.monkeypatch(extra_classes=[DecimalField])

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()

DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "data"))).resolve()
SQLITE_PATH = DATA_DIR / "holdfast.sqlite3"
try:
    DATA_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
except OSError as error:
    raise ImproperlyConfigured(f"DATA_DIR {DATA_DIR} cannot be made: {error.strerror}.") from error

try:
    SECRET_KEY = secret_key(
        env.str("SECRET_KEY", default=None), DATA_DIR, may_create=not SQLITE_PATH.exists()
    )
    VAULT_KEYS = vault_keys(
        env.str("VAULT_KEYS", default=None), DATA_DIR, may_create=not SQLITE_PATH.exists()
    )
except KeyFileError as error:
    raise ImproperlyConfigured(str(error)) from error

DEBUG = env.bool("DEBUG", default=False)
PORT = env.int("PORT", default=8000)
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
HTTPS = env.bool("HTTPS", default=False)
"""Whether a proxy in front speaks HTTPS to the browsers: cookies and headers follow it."""

INSTALLED_APPS = [
    "portfolio.apps.AdminSite",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "auditlog",
    "csp",
    "django_filters",
    "django_htmx",
    "django_structlog",
    "health_check",
    "heroicons",
    "template_partials",
    "accounts",
    "portfolio",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "accounts.middleware.AuditTrail",
    "django_structlog.middlewares.RequestMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.PrivateAnswers",
]

ROOT_URLCONF = "portfolio.urls"
WSGI_APPLICATION = "portfolio.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "portfolio.views.money.switch",
            ],
            "builtins": ["heroicons.templatetags.heroicons", "template_partials.templatetags.partials"],
        },
    }
]

# Tried: 0 lock errors in 120 s of load with these, 1,447 with Django's defaults.
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 10,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}
DATABASES: dict[str, dict[str, Any]] = {"default": env.db("DATABASE_URL", default=f"sqlite:///{SQLITE_PATH}")}
if DATABASES["default"].get("ENGINE") == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
elif DATABASES["default"].get("ENGINE") == "django.db.backends.postgresql":
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
else:
    raise ImproperlyConfigured("DATABASE_URL must begin with postgres:// or sqlite://.")
DATABASES["default"]["CONN_MAX_AGE"] = 60
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHE_URL = env.str("CACHE_URL", default="")
CACHES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": CACHE_URL}
    if CACHE_URL
    else {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}
}

BROKER_URL = env.str("BROKER_URL", default="filesystem://")
if urlsplit(BROKER_URL).scheme not in {"filesystem", "redis", "rediss", "memory"}:
    raise ImproperlyConfigured("BROKER_URL must begin with redis://, rediss:// or filesystem://.")

EXCHANGE_URLS: dict[str, str] = {
    name: env.str(known.url_setting, default=known.default_url).rstrip("/")
    for name, known in EXCHANGES.items()
}
for _url in EXCHANGE_URLS.values():
    _parts = urlsplit(_url)
    _loopback = _parts.hostname in {"127.0.0.1", "::1", "localhost"}
    if (
        not (_parts.scheme == "https" or (_parts.scheme == "http" and _loopback))
        or not _parts.hostname
        or _parts.username
        or _parts.path
        or _parts.query
    ):
        raise ImproperlyConfigured(
            f"The exchange address {_parts.scheme}://{_parts.hostname} is refused: it must be https://host[:port] "
            "(http:// only for this computer), without path or user."
        )

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "account_login"

ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
# Counted before a password is hashed; the key is the account together with the address (see accounts.adapter).
ACCOUNT_RATE_LIMITS = {"login_failed": "20/h/ip,10/h/key", "signup": "10/h/ip", "login": "30/m/ip"}
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXIES", default=1 if HTTPS else 0)
"""How many proxies of ours stand in front: so many X-Forwarded-For entries are believed."""
MFA_ADAPTER = "accounts.adapter.SealedFactors"
# There may be no mail server, so addresses are not verified and a second factor does not wait for it.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Holdfast"
# One step of 30 s either way (RFC 6238, 5.2): a code typed at the turn of its half minute, a phone a little off.
MFA_TOTP_TOLERANCE = 1
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS
USERSESSIONS_TRACK_ACTIVITY = False
SIGNUP_OPEN = env.bool("SIGNUP_OPEN", default=False)
"""Whether strangers may sign up after the owner's account exists."""

SESSION_COOKIE_AGE = 60 * 60 * 24 * 14
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
        "manifest-src": [SELF],
    }
}

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "portfolio.finders.PlotlyFinder",
]
COLLECTED = (STATIC_ROOT / "staticfiles.json").exists() and not DEBUG
"""Whether `make` has collected and compressed the static files; otherwise they are served from where they are written."""
WHITENOISE_USE_FINDERS = not COLLECTED
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if COLLECTED or "collectstatic" in sys.argv
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
EMAIL_CONFIG = env.email("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default="holdfast@localhost")

CELERY_TASK_ALWAYS_EAGER = False
SYNC_EVERY_SECONDS = env.int("SYNC_EVERY_SECONDS", default=900)
"""How long after a sync the next one of the same connection is due."""
RATES_EVERY_SECONDS = env.int("RATES_EVERY_SECONDS", default=300)
ECB_URL = env.str("ECB_URL", default="https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip")
"""Where the rates of fiat currencies are refreshed once a day; empty: only the ones that came with the package."""

COINGECKO = env.bool("COINGECKO", default=False)
"""Whether CoinGecko is asked for the closes of past days, too."""
COINGECKO_URL = env.str("COINGECKO_URL", default="https://api.coingecko.com")
COINGECKO_KEY = env.str("COINGECKO_KEY", default="")
COINGECKO_IDS: dict[str, str] = env.dict("COINGECKO_IDS", default={})
"""CoinGecko's names of more assets."""

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    # These print addresses or headers of signed requests at lower levels.
    "loggers": {
        name: {"level": "WARNING", "propagate": True} for name in ("httpx2", "httpcore2", "httpx", "hpack")
    },
}
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.filter_by_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.format_exc_info,
        structlog.processors.KeyValueRenderer(key_order=["event"]),
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)
