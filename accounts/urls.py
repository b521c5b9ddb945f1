"""Where the keys, the members and the settings of an account are managed."""

from django.urls import path

from accounts import captures, invitation_views, settings_views, team_views, views
from accounts.viewing_views import viewing_end

app_name = "accounts"
urlpatterns = [
    path("viewing/end", viewing_end, name="viewing-end"),
    path("keys", views.api_key_list, name="api-key-list"),
    path("keys/new", views.api_key_create, name="api-key-create"),
    path("keys/freeze", views.api_keys_freeze, name="api-keys-freeze"),
    path("keys/thaw", views.api_keys_thaw, name="api-keys-thaw"),
    path("keys/leak-policy", views.leak_policy_change, name="leak-policy-change"),
    path("keys/<int:pk>", views.api_key_detail, name="api-key"),
    path("keys/<int:pk>/change", views.api_key_change, name="api-key-change"),
    path("keys/<int:pk>/rotate", views.api_key_rotate, name="api-key-rotate"),
    path("keys/<int:pk>/deactivate", views.api_key_deactivate, name="api-key-deactivate"),
    path("keys/<int:pk>/reactivate", views.api_key_reactivate, name="api-key-reactivate"),
    path("keys/<int:pk>/capture", captures.api_key_capture, name="api-key-capture"),
    path("keys/<int:pk>/revoke", views.api_key_revoke, name="api-key-revoke"),
    path("team", team_views.team, name="team"),
    path("team/invitations", team_views.invitation_create, name="invitation-create"),
    path(
        "team/invitations/<int:pk>/resend", team_views.invitation_resend, name="invitation-resend"
    ),
    path(
        "team/invitations/<int:pk>/withdraw",
        team_views.invitation_withdraw,
        name="invitation-withdraw",
    ),
    path("team/members/<int:pk>", team_views.member_change, name="member-change"),
    path("team/members/<int:pk>/remove", team_views.member_remove, name="member-remove"),
    path("team/leave", team_views.leave, name="leave"),
    path("team/transfer", team_views.transfer, name="transfer"),
    path("invitations/<str:token>", invitation_views.invitation, name="invitation"),
    path(
        "invitations/<str:token>/accept",
        invitation_views.invitation_accept,
        name="invitation-accept",
    ),
    path("settings", settings_views.profile, name="profile"),
    path("settings/security", settings_views.security, name="security"),
    path("settings/security/sessions", settings_views.sessions_end, name="sessions-end"),
    path("settings/security/sessions/<int:pk>", settings_views.session_end, name="session-end"),
    path("settings/account", settings_views.account, name="account"),
    path("settings/account/switch", settings_views.account_switch, name="account-switch"),
    path("settings/danger", settings_views.danger, name="danger"),
    path("settings/danger/account", settings_views.account_delete, name="account-delete"),
    path("settings/danger/account/keep", settings_views.account_keep, name="account-keep"),
    path("settings/danger/user", settings_views.user_delete, name="user-delete"),
]
