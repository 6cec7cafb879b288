"""Settings as `django-admin startproject` and DRF's tutorial have them, over our tables."""

import os
from typing import Any

from config.settings import (  # noqa: F401  our apps must load; they do nothing
    ALLOWED_HOSTS,
    AUTH_USER_MODEL,
    DEFAULT_AUTO_FIELD,
    INSTALLED_APPS,
    LANGUAGES,
    SECRET_KEY,
)
from core.ops.environment import database

USE_TZ = True
TIME_ZONE = "UTC"
ROOT_URLCONF = "benchmarks.stock"
DATABASES = {"default": database(os.environ["DATABASE_URL"]) | {"CONN_MAX_AGE": 600}}
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # Without it the model of addresses is not to be had; it costs microseconds.
    "allauth.account.middleware.AccountMiddleware",
]
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "PAGE_SIZE": 20,
    "UNAUTHENTICATED_USER": None,
}
