"""The addresses of the documentation, of the changelog, and of ``llms.txt``."""

from django.urls import path

from dashboard.docs import views

app_name = "docs"
urlpatterns = [
    path("docs", views.first, name="first"),
    path("docs/search", views.look_up, name="search"),
    path("docs/webhooks/<path:name>", views.webhook_file, name="webhook-file"),
    path("docs/<slug:slug>.md", views.source, name="source"),
    path("docs/<slug:slug>", views.page, name="page"),
    path("changelog", views.changelog, name="changelog"),
    path("llms.txt", views.for_language_models, name="llms"),
]
