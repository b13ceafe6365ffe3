"""Pages of records and of imports."""

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

app_name = "accounts"

urlpatterns: list[URLPattern | URLResolver] = []

if find_spec("accounts.urls_imports"):
    urlpatterns.append(path("imports/", include("accounts.urls_imports")))
