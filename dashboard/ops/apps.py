"""Makes Django's admin the operators' room."""

from django.contrib.admin.apps import AdminConfig


class OpsConfig(AdminConfig):
    default_site = "dashboard.ops.site.OpsSite"
