"""Every setting, from the environment. `docs/settings.md` has the table."""

import secrets
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django_stubs_ext
import structlog

from config import environment, logs
from config.environment import read

# Lets `ModelAdmin[User]` and the like be written where Django knows the type only in its stubs.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = read("DATA_DIR", BASE_DIR / "var", lambda text: Path(text).resolve())
DATA_DIR.mkdir(parents=True, exist_ok=True)

# --- where we are -----------------------------------------------------------------------------

HOST = read("HOST", "127.0.0.1", str)
PORT = read("PORT", 8000, environment.whole_number)
PUBLIC_URL = read("PUBLIC_URL", f"http://localhost:{PORT}", environment.http_url)
PUBLIC_HOST = urlsplit(PUBLIC_URL).hostname or "localhost"
HTTPS = PUBLIC_URL.startswith("https://")
DEBUG = read("DEBUG", False, environment.boolean)
ALLOWED_HOSTS = read(
    "ALLOWED_HOSTS", [PUBLIC_HOST, "localhost", "127.0.0.1", "[::1]"], environment.names
)
# Proxies in front of us that append to X-Forwarded-For; 0: the address that connects is the client.
TRUSTED_PROXIES = read("TRUSTED_PROXIES", 0, environment.whole_number)

# --- database, broker, cache ------------------------------------------------------------------

_database = read(
    "DATABASE_URL",
    environment.database(f"sqlite:///{DATA_DIR / 'parley.sqlite3'}"),
    environment.database,
)
EMBEDDED_DATABASE = _database["ENGINE"] == "django.db.backends.sqlite3"
if EMBEDDED_DATABASE:
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL",
    }
    _database["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
else:
    _database["CONN_MAX_AGE"] = 60
    _database["CONN_HEALTH_CHECKS"] = True
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = read("REDIS_URL", "", environment.redis_url)
# Without Redis the process that serves also works: a broker in memory, worker and beat as threads.
EMBEDDED_WORKER = not REDIS_URL

CACHES = {
    "default": (
        {
            "BACKEND": "config.cache.ForgivingRedisCache",
            "LOCATION": REDIS_URL,
            "OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5},
        }
        if REDIS_URL
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    )
}
# django-ratelimit asks for a cache that is shared between processes; the embedded default is one.
SILENCED_SYSTEM_CHECKS = [] if REDIS_URL else ["django_ratelimit.E003", "django_ratelimit.W001"]

CELERY_BROKER_URL = REDIS_URL or "memory://localhost/"
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {
        # An acknowledgement on its way when Redis goes can end the worker, and nothing needs it.
        "ack_emulation": False,
        # A connection that has gone dead without a word is given up within seconds, by what waits
        # for an answer and by the worker's long poll (which the server answers every second).
        "socket_connect_timeout": 0.5,
        "socket_timeout": 5.0,
        "health_check_interval": 5,
    }
    if REDIS_URL
    else {"polling_interval": 0.05}
)
CELERY_BROKER_CONNECTION_TIMEOUT = 0.5
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
# The row in the database is the truth and the message a hint: what dies with its worker, a sweep
# finds again.
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = "UTC"
SWEEP_SECONDS = 2.0
CELERY_BEAT_SCHEDULE = {
    # Expiring before the next one is sent, sweeps never pile up behind a busy worker.
    name: {"task": name, "schedule": SWEEP_SECONDS, "options": {"expires": SWEEP_SECONDS}}
    for name in (
        "accounts.tasks.sweep_notifications",
        "webhooks.tasks.sweep_deliveries",
        "scheduling.tasks.sweep_bookings",
        "meetings.tasks.sweep_meetings",
    )
} | {
    name: {"task": name, "schedule": 600.0, "options": {"expires": 600.0}}
    for name in ("accounts.tasks.purge_idempotency", "webhooks.tasks.purge_attempts")
}
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"  # nothing worth keeping: intervals of seconds

# --- secrets ----------------------------------------------------------------------------------

if EMBEDDED_DATABASE:
    _secret_key = environment.kept_secret(
        DATA_DIR / "secret_key", lambda: secrets.token_urlsafe(64)
    )
    _encryption_keys = [
        environment.kept_secret(DATA_DIR / "encryption_key", environment.new_encryption_key)
    ]
else:
    # Several machines may share this database: keys that each makes for itself would not open
    # what another has written.
    _secret_key, _encryption_keys = "", []
SECRET_KEY = read("SECRET_KEY", _secret_key, str)
ENCRYPTION_KEYS = read("ENCRYPTION_KEYS", _encryption_keys, environment.encryption_keys)
for _name, _value in {"SECRET_KEY": SECRET_KEY, "ENCRYPTION_KEYS": ENCRYPTION_KEYS}.items():
    if not _value:
        environment.refuse(_name, "must be set where DATABASE_URL is not SQLite")
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]

# --- email and push ---------------------------------------------------------------------------

_mail_folder = {
    "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
    "EMAIL_FILE_PATH": str(DATA_DIR / "mail"),
}
_email = read("EMAIL_URL", _mail_folder, environment.email)
# Any anymail provider: its backend's dotted name, and its settings as a JSON object.
EMAIL_BACKEND = read("EMAIL_BACKEND", _email["EMAIL_BACKEND"], str)
ANYMAIL: dict[str, Any] = read("ANYMAIL", {}, environment.json_object)
EMAIL_FILE_PATH = _email.get("EMAIL_FILE_PATH")
EMAIL_HOST = _email.get("EMAIL_HOST", "localhost")
EMAIL_PORT = _email.get("EMAIL_PORT", 25)
EMAIL_HOST_USER = _email.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = _email.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = _email.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _email.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = read("DEFAULT_FROM_EMAIL", f"Parley <parley@{PUBLIC_HOST}>", str)
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# Push is off without a service account.
FIREBASE_CREDENTIALS: dict[str, Any] = read("FIREBASE_CREDENTIALS", {}, environment.service_account)
# Another address in place of Firebase's; `{0}` stands for the project.
FIREBASE_ENDPOINT = read("FIREBASE_ENDPOINT", "", str)

# How long a worker may hold a row before another takes it over (longer than any send).
OUTBOX_LEASE_SECONDS = read("OUTBOX_LEASE_SECONDS", 60, environment.whole_number)

# --- webhooks ---------------------------------------------------------------------------------

# Networks that are reached though they are private; there by http and on any port too.
WEBHOOK_ALLOWED_NETWORKS: list[IPv4Network | IPv6Network] = read(
    "WEBHOOK_ALLOWED_NETWORKS", [], environment.networks
)
WEBHOOK_PORTS = read("WEBHOOK_PORTS", [443, 8443], environment.ports)

# --- the application --------------------------------------------------------------------------

INSTALLED_APPS = [
    "config",
    "accounts",
    "webhooks",
    "scheduling",
    "meetings",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "anymail",
    "csp",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
]

MIDDLEWARE = [
    # Outermost: it answers for every path below /api/, whatever goes wrong further in.
    "config.api.middleware.ApiMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.languages.LanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_ratelimit.middleware.RatelimitMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False

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
            ],
        },
    },
]

LANGUAGE_CODE = "en"
# Each in its own words: whoever looks for theirs may not read another.
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français"), ("es", "Español")]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 31_536_000
LANGUAGE_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_SAMESITE = "Lax"
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
# What browsers, phones and robots ask for at addresses of their choice, unasked.
WHITENOISE_ROOT = BASE_DIR / "public"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- people -----------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "meetings:home"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "signup": "accounts.forms.SignupForm",
    "change_password": "accounts.forms.ChangePasswordForm",
    "reset_password_from_key": "accounts.forms.ResetPasswordKeyForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = True
MFA_TOTP_ISSUER = "Parley"

# --- the API ----------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.api.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.api.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["config.api.rendering.OrjsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.api.rendering.OrjsonParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "config.api.rendering.JsonOnly",
    "DEFAULT_SCHEMA_CLASS": "config.api.schema.ApiSchema",
    "EXCEPTION_HANDLER": "config.api.errors.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "DATETIME_FORMAT": None,  # the renderer writes them
}
# Who calls: the API's middleware asks this for each request, before anything is counted.
API_AUTHENTICATOR = "accounts.api.authentication.authenticate"
API_RATE_LIMITS = read(
    "API_RATE_LIMITS",
    environment.rate_limits("10/s,100/min,1000/h,10000/day"),
    environment.rate_limits,
)
SPECTACULAR_SETTINGS = {
    "TITLE": "Parley API",
    "DESCRIPTION": (BASE_DIR / "config" / "api" / "description.md").read_text(),
    "TAGS": [
        {"name": "event_types", "description": "What can be booked of you, and what is free."},
        {"name": "events", "description": "What is booked of you."},
        {"name": "webhooks", "description": "Where to tell of what happens, and how that went."},
        {"name": "users", "description": "You: your profile, your hours and your devices."},
        {"name": "teams", "description": "The teams that you are in, and their people."},
        {"name": "meeting", "description": "Meetings that team mates ask one another for (v3)."},
    ],
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v[0-9]+",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_SPLIT_PATCH": False,  # PUT and PATCH take the same
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.api.schema.tell_of_texts",
    ],
    "ENUM_NAME_OVERRIDES": {
        "CustomFieldType": "scheduling.custom_fields.FieldType",
        "LocationType": "scheduling.enums.Location",
        "Status": "scheduling.enums.Status",
        "WebhookStatus": "webhooks.models.Webhook.Status",
    },
}

# --- what a browser may do --------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SESSION_ENGINE = "config.sessions"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
RATELIMIT_IP_META_KEY = "config.clients.address"
RATELIMIT_VIEW = "accounts.pages.errors.too_many_requests"

# --- logs -------------------------------------------------------------------------------------

_log_processors: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
# Our lines go where everybody's go, and through the same formatter.
structlog.configure(
    processors=[*_log_processors, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": _log_processors,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                logs.redact,
                structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
            ],
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": read("LOG_LEVEL", "INFO", str.upper)},
    "loggers": {
        "celery": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "django.server": {"level": "WARNING"},
    },
}
