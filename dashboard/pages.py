"""The pages of an account: how it is doing, what it used, what happened to each request."""

from django.urls import path

from dashboard import (
    account_pages,
    audit_page,
    key_limits,
    log_choices,
    log_export,
    logs,
    models_page,
    overview,
    playground,
    usage_page,
)

app_name = "dashboard"
urlpatterns = [
    path("overview", overview.overview, name="overview"),
    path("usage", usage_page.usage, name="usage"),
    path("usage.csv", usage_page.usage_csv, name="usage-csv"),
    path("logs", logs.logs, name="logs"),
    path("logs/columns", log_choices.columns_choose, name="log-columns"),
    path("logs/export", log_export.export, name="log-export"),
    path("logs/export.<name>", log_export.download, name="log-download"),
    path("logs/filters", log_choices.filter_save, name="log-filter-save"),
    path("logs/filters/<int:pk>/delete", log_choices.filter_delete, name="log-filter-delete"),
    path("logs/<request_id>", logs.log, name="log"),
    path("audit", audit_page.audit_log, name="audit"),
    path("audit/export", audit_page.audit_export, name="audit-export"),
    path("settings/account/open", account_pages.account_open, name="account-open"),
    path("settings/danger/export", account_pages.account_export, name="account-export"),
    path("models", models_page.models, name="models"),
    path("models/<path:name>", models_page.model, name="model"),
    path("playground", playground.playground, name="playground"),
    path("playground/ask", playground.ask, name="playground-ask"),
    path("playground/stream", playground.stream, name="playground-stream"),
    path("playground/preview", playground.preview, name="playground-preview"),
    path("playground/code", playground.code, name="playground-code"),
    path("playground/allow", playground.allow, name="playground-allow"),
    path("keys/<int:pk>/limits", key_limits.api_key_limits, name="api-key-limits"),
]
