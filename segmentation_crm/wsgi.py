"""WSGI entry point for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "segmentation_crm.settings")

application = get_wsgi_application()

from .garbage import settle_when_warm  # noqa: E402 - signals need the settings above

settle_when_warm()
