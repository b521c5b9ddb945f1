"""Addresses of the status page. None of them asks who you are."""

from django.urls import path

from dashboard.status import pages, receiver_pages, subscribing

app_name = "status"
urlpatterns = [
    path("status", pages.page, name="page"),
    path("status.json", pages.as_json, name="json"),
    path("status/feed.atom", pages.feed, name="feed"),
    path("status/maintenance.ics", pages.calendar, name="calendar"),
    path("status/days/<str:kind>/<path:name>", pages.days, name="days"),
    path("status/subscribe", subscribing.subscribe, name="subscribe"),
    path("status/confirm/<str:token>", subscribing.confirm, name="confirm"),
    path("status/choose/<str:token>", subscribing.choose, name="choose"),
    path("status/unsubscribe/<str:token>", subscribing.unsubscribe, name="unsubscribe"),
    path("status/webhook", receiver_pages.receiver_add, name="receiver-add"),
    path("status/webhook/<str:token>", receiver_pages.receiver_page, name="receiver"),
    path("status/webhook/<str:token>/ask", receiver_pages.receiver_ask, name="receiver-ask"),
    path("status/webhook/<str:token>/stop", receiver_pages.receiver_stop, name="receiver-stop"),
]
