"""The site: settings, the ASGI entry, the embedded servers, and the pages about everything."""

from dashboard.celery import app as celery_app

__all__ = ["celery_app"]
