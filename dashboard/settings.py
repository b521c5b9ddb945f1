"""Settings: everything an operator may turn is an environment variable named here."""

import os
from email.utils import formataddr
from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from accounts.origin import Networks, networks
from billing.stripe_access import StripeAccess
from dashboard.beat import SCHEDULE
from dashboard.instance import ROOT, Instance
from dashboard.logging_setup import logging_setup
from gateway import product


def flag(name: str, *, default: bool = False) -> bool:
    return os.environ.get(name, str(default)).lower() in {"1", "true", "yes", "on"}


def ranges(name: str) -> Networks:
    try:
        return networks(os.environ.get(name, ""))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}") from error


def long_enough(name: str, least: int = 20) -> str:
    value = os.environ.get(name, "")
    if 0 < len(value) < least:
        raise ImproperlyConfigured(f"{name} must have at least {least} characters.")
    return value


def near(port: int) -> int:
    """A port that goes with ours, so that two instances on one host do not meet."""
    return port + 420 if port + 420 < 65536 else port - 420


INSTANCE = Instance.from_environment()

# Who we are
HOST = os.environ.get("KEYPLEX_HOST", "127.0.0.1")
PORT = int(os.environ.get("KEYPLEX_PORT", "8000"))
PUBLIC_URL = os.environ.get("KEYPLEX_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
SELF_URL = os.environ.get("KEYPLEX_SELF_URL", f"http://127.0.0.1:{PORT}")  # as seen from this host
WORKERS = int(os.environ.get("KEYPLEX_WORKERS", min(4, os.cpu_count() or 1)))
GATEWAY_HOSTS = int(os.environ.get("KEYPLEX_GATEWAY_HOSTS", "1"))  # that share the limits
CATALOG = INSTANCE.catalog
try:
    PRODUCT = product.read(CATALOG)
except ValueError as error:
    raise ImproperlyConfigured(str(error)) from error
TRUSTED_PROXIES = ranges("KEYPLEX_TRUSTED_PROXIES")
WEBHOOK_ALLOWED_NETWORKS = ranges("KEYPLEX_WEBHOOK_NETWORKS")  # though they are not public
WEBHOOK_ALLOW_HTTP = flag("KEYPLEX_WEBHOOK_HTTP")
WEBHOOK_DNS = tuple(os.environ.get("KEYPLEX_WEBHOOK_DNS", "").split())  # "address:port", or ours
_scanners = os.environ.get("KEYPLEX_LEAK_SCANNERS")
LEAK_SCANNERS = Path(_scanners) if _scanners else None  # the public keys of who may report lists
SECURITY_CONTACT = os.environ.get("KEYPLEX_SECURITY_CONTACT", "")  # for /.well-known/security.txt
METRICS_TOKEN = long_enough("KEYPLEX_METRICS_TOKEN")
METRICS_NETWORKS = ranges("KEYPLEX_METRICS_NETWORKS")
OPS_NETWORKS = ranges("KEYPLEX_OPS_NETWORKS")  # from where operators come in; empty: anywhere
OVER_TLS = PUBLIC_URL.startswith("https://")
ONLY_HERE = urlsplit(PUBLIC_URL).hostname in {"127.0.0.1", "localhost", "::1"}

# Who is paid: Stripe, or a simulation of it where nobody but this host can come in
try:
    STRIPE = StripeAccess.real(os.environ)
except ValueError as error:
    raise ImproperlyConfigured(str(error)) from error
SIMULATED_STRIPE_PORT = int(os.environ.get("KEYPLEX_SIMULATED_STRIPE_PORT", near(PORT)))
if STRIPE.mode == "none" and flag("KEYPLEX_SIMULATED_BILLING", default=ONLY_HERE):
    STRIPE = StripeAccess.simulated(INSTANCE.secret("simulated_stripe"), SIMULATED_STRIPE_PORT)
GRACE_DAYS = int(os.environ.get("KEYPLEX_GRACE_DAYS", "7"))  # that who has not paid is served
STRIPE_TAX = flag("KEYPLEX_STRIPE_TAX")  # have Stripe compute taxes
TRIALS_PER_NETWORK = int(os.environ.get("KEYPLEX_TRIALS_PER_NETWORK", "3"))  # within a day
TRIALS_PER_DAY = int(os.environ.get("KEYPLEX_TRIALS_PER_DAY", "100"))  # without a second look

DEBUG = flag("KEYPLEX_DEBUG")
SECRET_KEY = INSTANCE.secret("secret_key")
KEY_PEPPER = INSTANCE.secret("key_pepper")
END_USER_KEY = INSTANCE.secret("end_user_key")
AUDIT_KEY = INSTANCE.secret("audit_key")
MFA_KEY = INSTANCE.secret("mfa_key")
WEBHOOK_KEY = INSTANCE.secret("webhook_key")
PROVIDER_KEY = INSTANCE.secret("provider_key")
SANDBOX_TOKEN = INSTANCE.secret("sandbox_token")
ALLOWED_HOSTS = [
    urlsplit(PUBLIC_URL).hostname or "127.0.0.1",
    *os.environ.get("KEYPLEX_HOSTS", "127.0.0.1,localhost,[::1]").split(","),
]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

INSTALLED_APPS = [
    "dashboard",
    "gateway",
    "usage",
    "billing",
    "accounts",
    "webhooks",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "dashboard.ops.apps.OpsConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.sessions.SessionLifetimeMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.AccountMiddleware",
    "dashboard.switched_off.PagesMiddleware",
]

ROOT_URLCONF = "dashboard.urls"
ASGI_APPLICATION = "dashboard.asgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "dashboard.context.site",
            ],
        },
    },
]

# Where things are kept
_database = dj_database_url.parse(INSTANCE.database_url, conn_max_age=60, conn_health_checks=True)
_database["OPTIONS"] = {**_database.get("OPTIONS", {}), "connect_timeout": 2}
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = INSTANCE.redis_url
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},  # seconds
    }
}
JOURNAL_DIR = INSTANCE.journal

# Where days of extended retention go before they are forgotten; nowhere without a bucket
ARCHIVE_BUCKET = os.environ.get("KEYPLEX_ARCHIVE_BUCKET", "")
ARCHIVE_PREFIX = os.environ.get("KEYPLEX_ARCHIVE_PREFIX", "")
ARCHIVE_ENDPOINT = os.environ.get("KEYPLEX_ARCHIVE_ENDPOINT", "")
ARCHIVE_REGION = os.environ.get("KEYPLEX_ARCHIVE_REGION", "us-east-1")
ARCHIVE_ACCESS_KEY = os.environ.get("KEYPLEX_ARCHIVE_ACCESS_KEY", "")
ARCHIVE_SECRET_KEY = os.environ.get("KEYPLEX_ARCHIVE_SECRET_KEY", "")

CELERY_BROKER_URL = INSTANCE.broker_url
CELERY_TASK_IGNORE_RESULT = True
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 5, "socket_connect_timeout": 2}  # seconds
CELERY_BEAT_SCHEDULE = SCHEDULE

# Who may come in
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboard:overview"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "dashboard.signup.AccountAdapter"
ACCOUNT_CHANGE_EMAIL = True  # the address that is, until the new one is verified
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_RATE_LIMITS = {  # beside those of allauth
    "status_subscribe": "20/h/ip,3/d/key",
    "status_receiver": "20/h/ip,3/d/key",
    "status_receiver_host": "30/d/key",
    "support": "10/h/ip,5/d/key",
    "support_reply": "30/h/user",
}
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600  # seconds; see accounts/reauthentication.py
ACCOUNT_DELETION_DAYS = int(os.environ.get("KEYPLEX_DELETION_DAYS", "14"))
MFA_ADAPTER = "accounts.mfa.MFAAdapter"
MFA_FORMS = {
    "authenticate": "accounts.mfa_forms.AuthenticateForm",
    "reauthenticate": "accounts.mfa_forms.ReauthenticateForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = ONLY_HERE and not OVER_TLS
MFA_TOTP_ISSUER = PRODUCT.name
MFA_RECOVERY_CODES_SHOW_ONCE = True

# Mail: a server if one is named, else the mailbox page
EMAIL_HOST = os.environ.get("KEYPLEX_SMTP_HOST", "")
EMAIL_PORT = int(os.environ.get("KEYPLEX_SMTP_PORT", "587"))
EMAIL_HOST_USER = os.environ.get("KEYPLEX_SMTP_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("KEYPLEX_SMTP_PASSWORD", "")
EMAIL_USE_TLS = flag("KEYPLEX_SMTP_TLS", default=True)
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend" if EMAIL_HOST else "dashboard.mailbox.Backend"
)
MAILBOX_OPEN = not EMAIL_HOST and flag("KEYPLEX_MAILBOX", default=ONLY_HERE)
DEFAULT_FROM_EMAIL = os.environ.get(
    "KEYPLEX_MAIL_FROM", formataddr((PRODUCT.name, "no-reply@localhost"))
)
SUPPORT_EMAIL = os.environ.get("KEYPLEX_SUPPORT_EMAIL", "")  # told as operators are

# What a browser may do
SECURE_SSL_REDIRECT = flag("KEYPLEX_SSL_REDIRECT", default=OVER_TLS)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if OVER_TLS else None
SECURE_HSTS_SECONDS = 31536000 if OVER_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = OVER_TLS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = OVER_TLS
SESSION_COOKIE_NAME = "__Host-sessionid" if OVER_TLS else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken" if OVER_TLS else "csrftoken"
SESSION_COOKIE_AGE = 14 * 24 * 3600
CSRF_COOKIE_HTTPONLY = True
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # no cookie of its own
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # of a whole form: the guard refuses more
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'", *STRIPE.origins],
        "frame-ancestors": ["'none'"],
    }
}

# What it looks like
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH = "dashboard.formats"
STATIC_URL = "/static/"
STATIC_ROOT = INSTANCE.data / "static"
PROBE_MODELS = flag("KEYPLEX_PROBE_MODELS")  # ask models that nobody calls; that costs money
STATUS_COPY = Path(os.environ.get("KEYPLEX_STATUS_COPY") or STATIC_ROOT / "status")
STATICFILES_DIRS = [ROOT / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "dashboard.static_storage.CompressedStorage"
    },
}

try:
    LOGGING = logging_setup(os.environ)
except ValueError as error:
    raise ImproperlyConfigured(str(error)) from error
