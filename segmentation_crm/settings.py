"""Settings, read from the environment; safe by default. `.env.example` lists every variable."""

import os
from pathlib import Path

import environ
import structlog

from segmentation_crm.embedded import broker_socket, ensure_secret_key
from segmentation_crm.refusals import check_production

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
env.smart_cast = False
if (BASE_DIR / ".env").exists():
    env.read_env(str(BASE_DIR / ".env"))

# Where the embedded run keeps its database, secret, sockets and uploads; git-ignored.
VAR_DIR = Path(env.str("VAR_DIR", "") or BASE_DIR / "var").resolve()

DEBUG = env.bool("DEBUG", False)
# Set by `manage.py up` on a loopback address without TLS: relaxes redirect, HSTS and Secure cookies, nothing else.
LOOPBACK_HTTP = env.bool("LOOPBACK_HTTP", False)
SECRET_KEY = env.str("SECRET_KEY", "") or ensure_secret_key(VAR_DIR)
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
SITE_URL = env.str("SITE_URL", "http://127.0.0.1:8000")
check_production(debug=DEBUG, secret_keys=[SECRET_KEY, *SECRET_KEY_FALLBACKS], hosts=ALLOWED_HOSTS)

INSTALLED_APPS = [
    "segmentation_crm.common",
    "accounts",
    "segments",
    "campaigns",
    "scoring",
    "segmentation_crm.apps.ProjectConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.mfa",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_htmx",
    "django_celery_beat",
    "django_structlog",
    "django_prometheus",
    "csp",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "segmentation_crm.common.api.middleware.ApiResponseMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "segmentation_crm.common.unstorable.UnstorableInputMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "segmentation_crm.common.sessions.SessionLimits",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "segmentation_crm.common.acting.ActingMiddleware",
    "accounts.views.pages.MergedRecordsMiddleware",
    "segmentation_crm.common.outages.OutageMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "segmentation_crm.urls"
WSGI_APPLICATION = "segmentation_crm.wsgi.application"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
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
                "segmentation_crm.context.navigation",
            ],
        },
    }
]

# --- Databases: SQLite embedded, PostgreSQL in production (RELIABILITY: measured settings) ---
DATABASES = {"default": env.db_url("DATABASE_URL", f"sqlite:///{VAR_DIR / 'crm.sqlite3'}")}
_database = DATABASES["default"]
if _database["ENGINE"].endswith("sqlite3"):
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA journal_size_limit=67108864; "
            "PRAGMA cache_size=-65536; PRAGMA mmap_size=2147483648;"
        ),
    }
else:
    _database["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", 60)
    _database["CONN_HEALTH_CHECKS"] = True
    # The worker role gets longer limits through DATABASE_ROLE=worker (set by `up` and compose.yaml).
    _limits = ("300s", "5s", "60s") if env.str("DATABASE_ROLE", "web") == "worker" else ("5s", "3s", "30s")
    # Pages ask many small questions: compiling their plans costs more than running them; and on solid-state disks,
    # or from memory, a row by its index costs little more than the next one.
    _database.setdefault("OPTIONS", {})["options"] = (
        f"-c jit=off -c random_page_cost=1.1 -c statement_timeout={_limits[0]} -c lock_timeout={_limits[1]} "
        f"-c idle_in_transaction_session_timeout={_limits[2]}"
    )
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ATOMIC_REQUESTS = False

# --- Users and log-in ---
AUTH_USER_MODEL = "common.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "segmentation_crm.common.login.EvenBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_ADAPTER = "segmentation_crm.common.login.ClosedSignupAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_RATE_LIMITS = {"login_failed": "5/m/key,20/m/ip", "reset_password": "3/h/ip,3/h/key"}
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
# How many proxies of ours add to X-Forwarded-For: limits by address count the address before them.
NUM_PROXIES = env.int("NUM_PROXIES", 0)
ALLAUTH_TRUSTED_PROXY_COUNT = NUM_PROXIES
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = False
# An administrator makes the users: a second factor must not wait for a mail server.
MFA_ALLOW_UNVERIFIED_EMAIL = True
SESSION_COOKIE_AGE = 7 * 24 * 3600
SESSION_IDLE_SECONDS = 8 * 3600
PASSWORD_RESET_TIMEOUT = 3600

# --- Transport security ---
_tls = not (DEBUG or LOOPBACK_HTTP)
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", _tls)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31536000 if _tls else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _tls
SECURE_HSTS_PRELOAD = _tls
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = _tls
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = _tls
X_FRAME_OPTIONS = "DENY"
if env.bool("BEHIND_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "style-src-attr": ["'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

# --- Language, time, files ---
LANGUAGE_CODE = "en-us"
TIME_ZONE = env.str("TIME_ZONE", "UTC")
USE_I18N = True
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
# The embedded run serves static files from the sources; production runs collectstatic (hashed, compressed).
_manifest = env.bool("STATIC_MANIFEST", False)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if _manifest
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not _manifest
WHITENOISE_AUTOREFRESH = DEBUG
MEDIA_ROOT = VAR_DIR / "uploads"
FILE_UPLOAD_PERMISSIONS = 0o600
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
UPLOAD_MAX_BYTES = 200 * 1024 * 1024
# A file kept on a record.
ATTACHMENT_MAX_BYTES = env.int("ATTACHMENT_MAX_MIB", 25) * 1024 * 1024
# Networks besides the public internet that webhooks may reach, such as 10.1.0.0/16; http:// is taken only for these.
OUTBOUND_ALLOWED_NETWORKS = env.list("OUTBOUND_ALLOWED_NETWORKS", default=[])

# --- Broker and cache ---
REDIS_URL = env.str("REDIS_URL", "") or f"unix://{broker_socket(VAR_DIR)}"
_is_socket = REDIS_URL.startswith(("unix://", "redis+socket://"))
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://") if _is_socket else REDIS_URL
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": env.str("CACHE_URL", REDIS_URL.replace("redis+socket://", "unix://")),
        "KEY_PREFIX": env.str("CACHE_PREFIX", "crm-cache"),
        # A frozen cache must cost a request seconds, not its thread.
        "OPTIONS": {"socket_timeout": 2},
    }
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_BACKEND = None
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_TIME_LIMIT = 300
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 900,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 3,
    "socket_keepalive": not _is_socket,
    "health_check_interval": 25,
    "global_keyprefix": env.str("BROKER_PREFIX", "crm:"),
}
CELERY_VISIBILITY_TIMEOUT = 900
CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS = {"visibility_timeout": 900}
CELERY_TASK_PUBLISH_RETRY_POLICY = {
    "max_retries": 2,
    "interval_start": 0,
    "interval_step": 0.2,
    "interval_max": 0.5,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = env.float("WORKER_SOFT_SHUTDOWN_SECONDS", 30.0)
# An idle worker has nothing to wait for: there are no ETA tasks, scheduled work is rows.
CELERY_WORKER_ENABLE_SOFT_SHUTDOWN_ON_IDLE = False
CELERY_WORKER_MAX_TASKS_PER_CHILD = 1000
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 600_000
CELERY_WORKER_ETA_TASK_LIMIT = 1000
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULER = "segmentation_crm.common.jobs.beat:HeartbeatScheduler"
_sweep_seconds = env.float("SWEEP_SECONDS", 30.0)
CELERY_BEAT_SCHEDULE = {
    # Both only wake the database's own lists; a bell that finds no worker within its period is not kept.
    "ring what is due": {"task": "common.sweep", "schedule": _sweep_seconds, "options": {"expires": 60.0}},
    # Written rows become members within about two seconds (docs/refresh.md).
    "look for changes": {
        "task": "segments.look",
        "schedule": env.float("REFRESH_SECONDS", 1.0),
        "options": {"expires": 5.0},
    },
    "start scheduled work": {"task": "common.tick", "schedule": _sweep_seconds, "options": {"expires": 60.0}},
}
JOB_QUEUES = ["default", "bulk", "mail", "events", "webhooks"]
# Modules with job kinds beyond the apps' own `tasks` (fault tests register theirs so).
EXTRA_JOB_MODULES = env.list("EXTRA_JOB_MODULES", default=[])

# --- Mail ---
EMAIL_CONFIG = env.email_url("EMAIL_URL", "consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "crm@localhost")

# --- API ---
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "segmentation_crm.common.api.authentication.ApiTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["segmentation_crm.common.api.permissions.RolePermission"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["segmentation_crm.common.api.parsers.StrictJSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["segmentation_crm.common.api.filtering.StrictFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "segmentation_crm.common.api.pagination.KeysetPagination",
    "PAGE_SIZE": 50,
    "DEFAULT_THROTTLE_CLASSES": ["segmentation_crm.common.api.throttling.AtomicUserThrottle"],
    "DEFAULT_THROTTLE_RATES": {"api": "600/min", "bulk": "60/min", "events": "120/min", "preview": "600/min"},
    "NUM_PROXIES": NUM_PROXIES,
    "EXCEPTION_HANDLER": "segmentation_crm.common.api.errors.exception_handler",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
REST_KNOX = {
    "SECURE_HASH_ALGORITHM": "hashlib.sha512",
    "TOKEN_MODEL": "common.ApiToken",
    "AUTH_HEADER_PREFIX": "Token",
    "TOKEN_TTL": None,
    "MAX_TOKEN_VALIDITY": None,
}
KNOX_TOKEN_MODEL = "common.ApiToken"
# Knox's own token table is replaced by ApiToken; its migrations would still make it, unused.
MIGRATION_MODULES: dict[str, str | None] = {"knox": None}
SPECTACULAR_SETTINGS = {
    "TITLE": "Segmentation CRM API",
    "DESCRIPTION": "Records, segments and jobs. Lists are keyset pages without counts; errors are JSON.",
    "VERSION": "1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SERVE_AUTHENTICATION": None,
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    # Names of lists that several fields share; without them the schema would invent ones with hashes.
    "ENUM_NAME_OVERRIDES": {
        "ActivityTypeEnum": "accounts.choices.ActivityType",
        "BuyingRoleEnum": "accounts.choices.BuyingRole",
        "ChannelEnum": "accounts.choices.Channel",
        "ContentFormatEnum": "accounts.choices.ContentFormat",
        "EvidenceKindEnum": "accounts.choices.EvidenceKind",
        "ExportFormatEnum": "segmentation_crm.common.models.Export.Format",
        "ListRecordEnum": ["account", "contact", "opportunity", "activity", "segment", "task"],
        "NeedKindEnum": "accounts.choices.NeedKind",
        "SegmentKindEnum": "segments.choices.SegmentKind",
        "SegmentMemberTypeEnum": "segments.choices.MemberType",
        "SegmentWritableStatusEnum": ["draft", "active"],
        "SourceKindEnum": "accounts.choices.SourceKind",
    },
}

METRICS_TOKEN = env.str("METRICS_TOKEN", "")
SHARED_DATA = Path(env.str("SHARED_DATA", str(BASE_DIR.parent / "shared" / "data")))

# One line an event: plain for people (default), JSON with LOG_FORMAT=json. What structlog adds (request id, user)
# comes with both.
_log_processors: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso"),
    structlog.processors.format_exc_info,
]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "console": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processor": structlog.processors.JSONRenderer()
            if env.str("LOG_FORMAT", "plain") == "json"
            else structlog.dev.ConsoleRenderer(colors=False),
            "foreign_pre_chain": _log_processors,
        },
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "console"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "WARNING")},
}
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *_log_processors,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)

SILENCED_SYSTEM_CHECKS: list[str] = []
TEST_RUNNING = "PYTEST_VERSION" in os.environ
