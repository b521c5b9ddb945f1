"""Where help is found, asked for, and followed."""

from django.urls import path

from dashboard.support import pages, threads

app_name = "support"
urlpatterns = [
    path("help", pages.help_page, name="help"),
    path("contact", pages.contact, name="contact"),
    path("sales", pages.sales, name="sales"),
    path("help/requests", threads.several, name="requests"),
    path("help/requests/<str:number>", threads.one, name="request"),
    path("help/requests/<str:number>/close", threads.close, name="request-close"),
]
