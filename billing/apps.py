"""What Django must know of this app before anything else."""

from importlib import import_module

from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"

    def ready(self) -> None:
        import_module("billing.checks")  # it needs the settings, which are there only now
