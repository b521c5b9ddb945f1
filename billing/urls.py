"""What others tell us about money."""

from django.urls import path

from billing import views

app_name = "billing"
urlpatterns = [path("stripe/events", views.stripe_event, name="stripe-event")]
