"""Where the API keys of an account are managed."""

from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [
    path("keys", views.api_key_list, name="api-key-list"),
    path("keys/new", views.api_key_create, name="api-key-create"),
    path("keys/<int:pk>/revoke", views.api_key_revoke, name="api-key-revoke"),
]
