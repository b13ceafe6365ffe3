"""The Celery application; its settings stand in settings.py under CELERY_."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "segmentation_crm.settings")

app = Celery("segmentation_crm")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
