"""What Django must know of this app before anything else."""

from importlib import import_module

from django.apps import AppConfig


class UsageConfig(AppConfig):
    name = "usage"

    def ready(self) -> None:
        import_module("usage.checks")  # it needs the models, which are there only now
