"""What Django must know of this app before anything else."""

from importlib import import_module

from django.apps import AppConfig


class GatewayConfig(AppConfig):
    name = "gateway"

    def ready(self) -> None:
        import_module("gateway.checks")
