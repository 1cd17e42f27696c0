"""Oscar's defaults, and what a small Chinese shop on loopback needs on top."""

from __future__ import annotations

import os
from pathlib import Path

from oscar import INSTALLED_APPS as OSCAR_APPS
from oscar.defaults import *  # noqa: F403 - the way Oscar's documentation says to begin

DATA = Path(os.environ["OSCARSHOP_DATA"])
DEBUG = False
SECRET_KEY = "only ever served on loopback"
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
SITE_ID = 1
ROOT_URLCONF = "oscarshop.urls"
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
STATIC_URL, MEDIA_URL = "/static/", "/media/"
MEDIA_ROOT = DATA / "media"

# zh-cn would leave Oscar's pages in English; more than one language puts a menu on every page.
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文")]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
OSCAR_DEFAULT_CURRENCY = "CNY"
OSCAR_SLUG_ALLOW_UNICODE = True

INSTALLED_APPS = [*OSCAR_APPS, "sorl.thumbnail", "django.contrib.sitemaps"]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "oscar.apps.basket.middleware.BasketMiddleware",
    "django.contrib.flatpages.middleware.FlatpageFallbackMiddleware",
]
AUTHENTICATION_BACKENDS = [
    "oscar.apps.customer.auth_backends.EmailBackend",
    "django.contrib.auth.backends.ModelBackend",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.template.context_processors.i18n",
                "django.contrib.messages.context_processors.messages",
                "oscar.apps.search.context_processors.search_form",
                "oscar.apps.checkout.context_processors.checkout",
                "oscar.apps.communication.notifications.context_processors.notifications",
                "oscar.core.context_processors.metadata",
            ]
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA / "shop.sqlite3",
        "ATOMIC_REQUESTS": True,
        # Every product view counts itself in the database: in the default mode parallel views answer 500.
        "OPTIONS": {"timeout": 30, "transaction_mode": "IMMEDIATE"},
    }
}
HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "oscarshop.search.ChineseEngine", "PATH": str(DATA / "index")}}


class WithoutMigrations:
    """Makes every app's tables straight from its models: a tenth of the time that the migrations take."""

    def __contains__(self, app: str) -> bool:
        return True

    def __getitem__(self, app: str) -> None:
        return None


MIGRATION_MODULES = WithoutMigrations()
