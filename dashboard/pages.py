"""The pages of an account: how it is doing, what it used, what happened to each request."""

from django.urls import path

from dashboard import logs, overview, usage_page

app_name = "dashboard"
urlpatterns = [
    path("overview", overview.overview, name="overview"),
    path("usage", usage_page.usage, name="usage"),
    path("logs", logs.logs, name="logs"),
    path("logs/<request_id>", logs.log, name="log"),
]
