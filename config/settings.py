"""All settings, read from the environment. `docs/settings.md` has the table."""

import os
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django_stubs_ext
from kombu import Exchange, Queue
from whitenoise.compress import Compressor

from core.api.document import SPECTACULAR_SETTINGS  # noqa: F401  drf-spectacular reads it
from core.ops import environment, logs
from core.ops.environment import read

# Lets `ModelAdmin[User]` and the like be written where Django knows the type only in its stubs.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = environment.made_folder(
    "DATA_DIR", read("DATA_DIR", BASE_DIR / "var", lambda text: Path(text).resolve())
)

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
# How long a client may take to send a body or to take an answer, more for large ones
# (`config/serving/pace.py`).
CLIENT_TIMEOUT_SECONDS = read("CLIENT_TIMEOUT_SECONDS", 15, environment.positive_number)

# --- database, broker, cache ------------------------------------------------------------------

_database = read(
    "DATABASE_URL",
    environment.database(f"sqlite:///{DATA_DIR / 'parley.sqlite3'}"),
    environment.database,
)
EMBEDDED_DATABASE = _database["ENGINE"] == "django.db.backends.sqlite3"
# How a pooler before PostgreSQL lends its connections: session or transaction; empty: there is
# none (`core/db/pooling.py`).
DATABASE_POOLER = read("DATABASE_POOLER", "", environment.pooler)
# Seconds for each host of the address to take a connection, and for a packet to be acknowledged.
DATABASE_CONNECT_SECONDS = read("DATABASE_CONNECT_SECONDS", 3, environment.connect_seconds)
DATABASE_SILENCE_SECONDS = read("DATABASE_SILENCE_SECONDS", 5, environment.positive_number)
# Seconds that requests and tasks may take, by PostgreSQL's name; 0: any time
# (`core/db/postgresql/bounds.py`).
DATABASE_BOUNDS = {
    "statement_timeout": read("DATABASE_STATEMENT_SECONDS", 30, environment.whole_number),
    "lock_timeout": read("DATABASE_LOCK_SECONDS", 10, environment.whole_number),
    "idle_in_transaction_session_timeout": read(
        "DATABASE_IDLE_TRANSACTION_SECONDS", 60, environment.whole_number
    ),
}
if EMBEDDED_DATABASE:
    if not os.access(DATA_DIR, os.W_OK):
        environment.refuse("DATA_DIR", "must be a folder that can be written to")
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL",
    }
    _database["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
else:
    _database["ENGINE"] = "core.db.postgresql"
    _database["OPTIONS"] = {
        "connect_timeout": DATABASE_CONNECT_SECONDS,
        "tcp_user_timeout": DATABASE_SILENCE_SECONDS * 1_000,
        # So a connection that nobody uses is found dead too, after twice as long at most.
        "keepalives_idle": DATABASE_SILENCE_SECONDS,
        "keepalives_interval": 1,
        "server_side_binding": True,
        # What comes again on a connection, the server has parsed and planned already.
        "prepare_threshold": 5,
        **_database.get("OPTIONS", {}),
    }
    if DATABASE_POOLER == "transaction":
        # The next statement may go to a connection that another client has used.
        _database["OPTIONS"]["prepare_threshold"] = None
        _database["DISABLE_SERVER_SIDE_CURSORS"] = True
    # Each thread that answers requests keeps one.
    _database["CONN_MAX_AGE"] = 600
    _database["CONN_HEALTH_CHECKS"] = True
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = read("REDIS_URL", "", environment.redis_url)
# Without Redis the process that serves also works: a broker in memory, worker and beat as threads.
EMBEDDED_WORKER = not REDIS_URL
# Threads of each process that answer requests (`config/serving`).
REQUEST_THREADS = read("REQUEST_THREADS", 4 if EMBEDDED_WORKER else 8, environment.positive_number)

# What a process keeps of one cache by itself: about 40 MB. Beyond, one entry in a hundred is
# forgotten: those used longest ago.
CACHE_BOUNDS = {"MAX_ENTRIES": 100_000, "CULL_FREQUENCY": 100}
# What allauth counts at the sign-in is kept apart from what pages count, which any number of
# clients can fill: a flood of them must not push out the lock of an account.
CACHES = {
    name: {
        "BACKEND": "core.ops.cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": prefix,
        "OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5},
    }
    if REDIS_URL
    else {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": name,
        "OPTIONS": CACHE_BOUNDS,
    }
    for name, prefix in {"default": "", "pages": "pages"}.items()
}
RATELIMIT_USE_CACHE = "pages"
# django-ratelimit asks for a cache that is shared between processes; the embedded default is one.
SILENCED_SYSTEM_CHECKS = [] if REDIS_URL else ["django_ratelimit.E003", "django_ratelimit.W001"]
# It asks for `preload` in HSTS, by which anybody may have a whole domain built into browsers, where
# HTTPS is not undone for months. That is for the domain's owner to add, at the proxy.
SILENCED_SYSTEM_CHECKS += ["security.W021"]

CELERY_BROKER_URL = environment.broker_url(REDIS_URL) if REDIS_URL else "memory://localhost/"
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {
        # An acknowledgement on its way when Redis goes can end the worker, and nothing needs it.
        "ack_emulation": False,
        # A connection whose other end is gone is given up within seconds, by what waits
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
# One queue for each kind of work, so that none waits behind another (`core.ops.shares`). A worker
# without -Q takes from all. A task that no route names is a sweep: it asks the database only, and
# no other host.
CELERY_TASK_QUEUES = [
    Queue(name, Exchange(name), routing_key=name)
    for name in ("mail", "deliveries", "calendars", "sweeps")
]
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_DEFAULT_QUEUE = "sweeps"
CELERY_TASK_ROUTES = {
    "notifications.tasks.deliver": "mail",
    "webhooks.tasks.deliver": "deliveries",
    "calendars.tasks.read": "calendars",
    "calendars.tasks.write": "calendars",
}
SWEEP_SECONDS = 2.0
# How long a message is worth taking up. It bounds what piles up while no worker takes any. Machines
# compare their own clocks with it, so it is longer than those may differ.
MESSAGE_SECONDS = 60
CELERY_BEAT_SCHEDULE = {
    name: {"task": name, "schedule": seconds, "options": {"expires": MESSAGE_SECONDS}}
    for name, seconds in {
        "notifications.tasks.sweep_notifications": SWEEP_SECONDS,
        "webhooks.tasks.sweep_deliveries": SWEEP_SECONDS,
        "calendars.tasks.sweep_calendars": SWEEP_SECONDS,
        "scheduling.tasks.sweep_bookings": SWEEP_SECONDS,
        "meetings.tasks.sweep_meetings": SWEEP_SECONDS,
        "core.tasks.retain": 60.0,
    }.items()
}
CELERY_BEAT_SCHEDULER = "config.beat:MonotonicScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 1

# --- secrets ----------------------------------------------------------------------------------

SECRET_KEY = read("SECRET_KEY", "", str)
ENCRYPTION_KEYS: list[str] = read("ENCRYPTION_KEYS", [], environment.encryption_keys)
if EMBEDDED_DATABASE:
    # Looked at before the files: another process that makes the database has made its keys before.
    _is_first_start = not environment.has_content(Path(_database["NAME"]))
    SECRET_KEY = SECRET_KEY or environment.kept_secret(
        DATA_DIR / "secret_key",
        environment.new_secret_key,
        environment.secret_key,
        is_first_start=_is_first_start,
    )
    ENCRYPTION_KEYS = ENCRYPTION_KEYS or environment.kept_secret(
        DATA_DIR / "encryption_key",
        environment.new_encryption_key,
        environment.encryption_keys,
        is_first_start=_is_first_start,
    )
# Several machines may share another database: keys that each makes for itself would not open what
# another has written.
for _name, _value in {"SECRET_KEY": SECRET_KEY, "ENCRYPTION_KEYS": ENCRYPTION_KEYS}.items():
    if not _value:
        environment.refuse(_name, "must be set where DATABASE_URL is not SQLite")
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]

# --- email and push ---------------------------------------------------------------------------

_mail_folder = {
    "EMAIL_BACKEND": "notifications.domain.mail_folder.EmailBackend",
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
DEFAULT_FROM_EMAIL = read(
    "DEFAULT_FROM_EMAIL", f"Parley <parley@{PUBLIC_HOST}>", environment.sender
)

# Push is off without a service account.
FIREBASE_CREDENTIALS: dict[str, Any] = read("FIREBASE_CREDENTIALS", {}, environment.service_account)
# Another address in place of Firebase's; `{0}` stands for the project.
FIREBASE_ENDPOINT = read("FIREBASE_ENDPOINT", "", str)

# How long a worker may hold a row before another takes it over. Each send ends by three quarters of
# it, so that no two workers send the same row.
OUTBOX_LEASE_SECONDS = read("OUTBOX_LEASE_SECONDS", 60, environment.positive_number)

# --- webhooks ---------------------------------------------------------------------------------

# Networks that are reached though they are private; there by http and on any port too.
WEBHOOK_ALLOWED_NETWORKS: list[IPv4Network | IPv6Network] = read(
    "WEBHOOK_ALLOWED_NETWORKS", [], environment.networks
)
WEBHOOK_PORTS = read("WEBHOOK_PORTS", [443, 8443], environment.ports)

# --- outside calendars ------------------------------------------------------------------------

# How often each is read. One that was not read within a minute is also read before a booking.
CALENDAR_READ_SECONDS = read("CALENDAR_READ_SECONDS", 300, environment.positive_number)
# They mean the same as those of webhooks.
CALENDAR_ALLOWED_NETWORKS: list[IPv4Network | IPv6Network] = read(
    "CALENDAR_ALLOWED_NETWORKS", [], environment.networks
)
CALENDAR_PORTS = read("CALENDAR_PORTS", [443, 8443], environment.ports)

# --- the application --------------------------------------------------------------------------

INSTALLED_APPS = [
    "config",
    "core",
    "notifications",
    "accounts",
    "webhooks",
    "calendars",
    "scheduling",
    "meetings",
    "accounts.staff.app.StaffConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "anymail",
    "csp",
    "django_filters",
    "oauth2_provider",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
]

MIDDLEWARE = [
    "core.ops.request_log.RequestMiddleware",
    "core.ops.health.ProbesMiddleware",
    "core.web.headers.BrowserMiddleware",
    "config.serving.refusals.BodyMiddleware",
    # Outside of all that may crash: it answers for every path below /api/, whatever goes wrong.
    "core.api.middleware.ApiMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "core.web.headers.PrivateMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "core.web.languages.LanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.pages.refusals.RefusalMiddleware",
    "django_ratelimit.middleware.RatelimitMiddleware",
]

# What stands between ApiMiddleware and the views of the API: there are no sessions and but one
# page, so no more.
API_MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
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
# Each language has its own name for itself, because its readers may not know another.
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français"), ("es", "Español")]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 31_536_000
LANGUAGE_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_SAMESITE = "Lax"
USE_TZ = True
TIME_ZONE = "UTC"
# A bare datetime names its zone, as on the staff pages.
FORMAT_MODULE_PATH = ["core.text.formats"]

STATIC_URL = "/static/"
STATIC_ROOT = read("STATIC_ROOT", DATA_DIR / "static", lambda text: Path(text).resolve())
# These two never raise, where a `Path` does for a folder that may not be looked into.
if os.path.exists(STATIC_ROOT) and not os.path.isdir(STATIC_ROOT):
    environment.refuse("STATIC_ROOT", "must be a folder")
STATICFILES_DIRS = [BASE_DIR / "static"]
# What browsers, phones and robots ask for at addresses of their choice, unasked.
WHITENOISE_ROOT = BASE_DIR / "public"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# Half of the work would be source maps, for which only a developer's tools ask.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")

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
ACCOUNT_ADAPTER = "accounts.libraries.allauth_adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "signup": "accounts.pages.forms.SignupForm",
    "add_email": "accounts.pages.forms.AddEmailForm",
    "change_password": "accounts.pages.forms.ChangePasswordForm",
    "reset_password": "accounts.pages.forms.ResetPasswordForm",
    "reset_password_from_key": "accounts.pages.forms.ResetPasswordKeyForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SIGNUP_REDIRECT_URL = "scheduling:start"
ACCOUNT_SESSION_REMEMBER = True
# The person gets an email when a way to sign in is changed or weakened.
ACCOUNT_EMAIL_NOTIFICATIONS = True
# What lets somebody in for good asks for the password, unless it was shown this short a while ago.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
MFA_ADAPTER = "accounts.libraries.allauth_adapter.MfaAdapter"
MFA_TOTP_ISSUER = "Parley"

# How many of each an account can have, or a team can have members; 0: no limit.
LIMITS = {
    "webhooks": read("LIMIT_WEBHOOKS", 50, environment.whole_number),
    "calendars": read("LIMIT_CALENDARS", 20, environment.whole_number),
    "calendar_entries": read("LIMIT_CALENDAR_ENTRIES", 20_000, environment.whole_number),
    "event_types": read("LIMIT_EVENT_TYPES", 200, environment.whole_number),
    "schedules": read("LIMIT_SCHEDULES", 20, environment.whole_number),
    "overrides": read("LIMIT_OVERRIDES", 1_000, environment.whole_number),
    "teams": read("LIMIT_TEAMS", 50, environment.whole_number),
    "team_members": read("LIMIT_TEAM_MEMBERS", 500, environment.whole_number),
    "tokens": read("LIMIT_TOKENS", 100, environment.whole_number),
    "applications": read("LIMIT_APPLICATIONS", 50, environment.whole_number),
    "connections": read("LIMIT_CONNECTIONS", 100, environment.whole_number),
    "devices": read("LIMIT_DEVICES", 20, environment.whole_number),
    "sessions": read("LIMIT_SESSIONS", 100, environment.whole_number),
    "email_addresses": read("LIMIT_EMAIL_ADDRESSES", 20, environment.whole_number),
    # And how often some things can be done within a time: `accounts/domain/windows.py`.
    "bookings_hour": read("LIMIT_BOOKINGS_HOUR", 10, environment.whole_number),
    "bookings_day": read("LIMIT_BOOKINGS_DAY", 40, environment.whole_number),
    "bookings_open": read("LIMIT_BOOKINGS_OPEN", 30, environment.whole_number),
    "bookings_client": read("LIMIT_BOOKINGS_CLIENT", 200, environment.whole_number),
    "guests_day": read("LIMIT_GUESTS_DAY", 50, environment.whole_number),
    "holds": read("LIMIT_HOLDS", 3, environment.whole_number),
    "holds_host": read("LIMIT_HOLDS_HOST", 20, environment.whole_number),
    "holds_client": read("LIMIT_HOLDS_CLIENT", 5, environment.whole_number),
    "bookings_api": read("LIMIT_BOOKINGS_API", 100, environment.whole_number),
    "reschedules": read("LIMIT_RESCHEDULES", 6, environment.whole_number),
    "reschedules_host": read("LIMIT_RESCHEDULES_HOST", 20, environment.whole_number),
    "public_posts": read("LIMIT_PUBLIC_POSTS", 60, environment.whole_number),
    "account_mails": read("LIMIT_ACCOUNT_MAILS", 3, environment.whole_number),
    "invitations_new": read("LIMIT_INVITATIONS_NEW", 20, environment.whole_number),
    "invitations": read("LIMIT_INVITATIONS", 200, environment.whole_number),
    "meeting_requests": read("LIMIT_MEETING_REQUESTS", 100, environment.whole_number),
}
ACCOUNT_MAX_EMAIL_ADDRESSES = LIMITS["email_addresses"]
# `accounts.domain.account_mails` counts these. allauth would leave an email out and say that it was
# sent.
ACCOUNT_RATE_LIMITS = {"confirm_email": None}

# --- OAuth 2.0 --------------------------------------------------------------------------------

_DAY = 86_400
OAUTH2_PROVIDER = {
    "SCOPES_BACKEND_CLASS": "accounts.libraries.oauth_toolkit.Scopes",
    "ACCESS_TOKEN_GENERATOR": "accounts.libraries.oauth_toolkit.new_access_token",
    "REFRESH_TOKEN_GENERATOR": "accounts.libraries.oauth_toolkit.new_refresh_token",
    "AUTHORIZATION_CODE_EXPIRE_SECONDS": 60,
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3_600,
    "REFRESH_TOKEN_EXPIRE_SECONDS": 90 * _DAY,
    # A second use of a refresh token ends all tokens of the same consent (RFC 9700, 4.14.2).
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    # `accounts.domain.redirect_uris` is stricter: plain http only for loopback addresses.
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    **{
        f"COMPLIANT_BCP_RFC9700_{rule}": True
        for rule in (
            "IMPLICIT_GRANT",
            "PASSWORD_GRANT",
            "PKCE_METHOD",
            "PKCE_REQUIRED",
            "REFRESH_TOKEN",
            "ACCESS_TOKEN_TRANSPORT",
            "AUTHZ_RESPONSE_ISS",
            "TOKEN_STORAGE",
            "REDIRECT_URI_MATCHING",
            "REDIRECT_URI_SCHEME",
        )
    },
}

# --- the API ----------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.api.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.api.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["core.api.rendering.OrjsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["core.api.rendering.OrjsonParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "core.api.rendering.JsonOnly",
    "DEFAULT_SCHEMA_CLASS": "core.api.schema.ApiSchema",
    "EXCEPTION_HANDLER": "core.api.errors.exception_handler",
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
        "upgrade-insecure-requests": HTTPS,
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SESSION_ENGINE = "accounts.domain.sessions"
SESSION_COOKIE_AGE = 30 * _DAY
# A browser takes a cookie of such a name from nobody but this very host, and only by HTTPS.
_host_only = "__Host-" if HTTPS else ""
SESSION_COOKIE_NAME = f"{_host_only}sessionid"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_NAME = f"{_host_only}csrftoken"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
RATELIMIT_IP_META_KEY = "core.web.clients.address"
RATELIMIT_VIEW = "accounts.pages.errors.too_many_requests"

# --- what operators see -----------------------------------------------------------------------

LOGGING = logs.configuration(
    read("LOG_LEVEL", "INFO", environment.log_level), read("LOG_FORMAT", "logfmt", logs.line_format)
)
# The bearer token with which Prometheus reads /metrics; without one there is no such page.
METRICS_TOKEN = read("METRICS_TOKEN", "", str)
# Where the processes of one machine add up what each has counted; prometheus_client looks for it
# in the environment by itself.
PROMETHEUS_MULTIPROC_DIR = read("PROMETHEUS_MULTIPROC_DIR", None, environment.folder)
if PROMETHEUS_MULTIPROC_DIR is None:
    os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)  # an empty one it would take for a folder
# What each floor measures of its own work, and how long the oldest of it has waited.
MEASURED = [
    "notifications.metrics",
    "webhooks.metrics",
    "calendars.metrics",
    "scheduling.metrics",
    "meetings.metrics",
]
# A sweep that is further behind makes /readyz say so; 0: it does not ask.
READY_SWEEP_SECONDS = read("READY_SWEEP_SECONDS", 60, environment.whole_number)
# Errors, and so many of the requests (0 to 1), to Sentry.
SENTRY_DSN = read("SENTRY_DSN", "", environment.sentry_dsn)
SENTRY_ENVIRONMENT = read("SENTRY_ENVIRONMENT", "production", str)
SENTRY_TRACES_SAMPLE_RATE = read("SENTRY_TRACES_SAMPLE_RATE", 0.0, environment.share)
# Traces by OTLP over HTTP. OpenTelemetry has more variables, which it reads by itself.
OTEL_EXPORTER_OTLP_ENDPOINT = read("OTEL_EXPORTER_OTLP_ENDPOINT", "", environment.address)
OTEL_SERVICE_NAME = read("OTEL_SERVICE_NAME", "parley", str)

# The floors with an outbox, for `manage.py outbox` and the staff pages.
OUTBOXES = [
    "notifications.domain.outboxes",
    "webhooks.domain.outboxes",
    "calendars.domain.outboxes",
]

# --- privacy ----------------------------------------------------------------------------------

# What each floor knows of a person: the upper ones first, for they point at the lower.
PRIVACY = [
    "meetings.privacy",
    "scheduling.privacy",
    "calendars.privacy",
    "webhooks.privacy",
    "accounts.privacy",
]
# The floors with something that goes on reaching into an account when its password is changed.
LASTING_ACCESS = [
    "calendars.domain.access",
    "webhooks.domain.access",
    "accounts.domain.access",
]
# What makes a sample of the objects that webhooks hear of, by the first word of an event's type.
WEBHOOK_SAMPLES = {
    "booking": "scheduling.domain.publishing.sample",
    "meeting": "meetings.domain.publishing.sample",
}
# The floors with something to come, which ends when somebody leaves.
DEPARTURES = ["meetings.domain.departures", "scheduling.domain.departures"]
# What a person finds who has confirmed their first address.
ARRIVALS = ["scheduling.domain.arrivals"]
# For how many days it is kept; 0: for ever.
RETENTION_DAYS = {
    "bookings": read("RETENTION_BOOKINGS_DAYS", 0, environment.whole_number),
    "notifications": read("RETENTION_NOTIFICATIONS_DAYS", 90, environment.whole_number),
    "attempts": read("RETENTION_ATTEMPTS_DAYS", 30, environment.whole_number),
    "audit": read("RETENTION_AUDIT_DAYS", 365, environment.whole_number),
}
