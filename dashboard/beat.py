"""What beat asks the workers for, and how often: seconds, or a time of the day in UTC."""

from typing import Any

from celery.schedules import crontab

SCHEDULE: dict[str, dict[str, Any]] = {
    "audit": {"task": "accounts.tasks.verify_audit", "schedule": crontab(minute=17, hour=3)},
    "account-deletion": {"task": "dashboard.tasks.delete_accounts", "schedule": 900.0},
    "sign-of-life": {
        "task": "dashboard.tasks.leave_a_sign_of_life",
        "schedule": 30.0,
        "options": {"expires": 30.0},
    },
    "sessions": {"task": "dashboard.tasks.forget_sessions", "schedule": 86400.0},
    "notices": {"task": "accounts.tasks.send_notices", "schedule": 15.0},
    "reminders": {"task": "accounts.tasks.remind", "schedule": 3600.0},
    "ended-keys": {"task": "accounts.tasks.tell_of_ended_keys", "schedule": 60.0},
    "endpoints": {"task": "accounts.tasks.tell_of_failing_endpoints", "schedule": 60.0},
    "usage-partitions": {"task": "usage.tasks.make_partitions", "schedule": 3600.0},
    "usage-prune": {"task": "usage.tasks.prune", "schedule": 3600.0},
    "webhooks": {"task": "webhooks.tasks.sweep", "schedule": 1.0, "options": {"expires": 1.0}},
    "webhooks-forget": {"task": "webhooks.tasks.forget_events", "schedule": 3600.0},
    "stripe-events": {
        "task": "billing.tasks.look_after_stripe_events",
        "schedule": 5.0,
        "options": {"expires": 5.0},
    },
    "stripe-late": {
        "task": "billing.tasks.ask_about_late",
        "schedule": 600.0,
        "options": {"expires": 600.0},
    },
    "stripe-reconcile": {"task": "billing.tasks.reconcile", "schedule": crontab(minute=41, hour=2)},
    "stripe-forget": {"task": "billing.tasks.forget_stripe_events", "schedule": 86400.0},
    "credits": {
        "task": "billing.tasks.look_after_credits",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "plans-over": {
        "task": "billing.tasks.end_what_is_over",
        "schedule": 30.0,
        "options": {"expires": 30.0},
    },
    "overrides": {
        "task": "billing.tasks.apply_overrides",
        "schedule": 30.0,
        "options": {"expires": 30.0},
    },
    "money-reminders": {
        "task": "billing.tasks.remind",
        "schedule": 600.0,
        "options": {"expires": 600.0},
    },
    "status": {
        "task": "dashboard.tasks.watch_status",
        "schedule": 60.0,
        "options": {"expires": 50.0},  # a minute that nobody looked is not made up for
    },
    "status-probes": {
        "task": "dashboard.tasks.probe_site",
        "schedule": 60.0,
        "options": {"expires": 50.0},
    },
    "status-model-probes": {
        "task": "dashboard.tasks.probe_models",
        "schedule": 60.0,
        "options": {"expires": 50.0},
    },
    "posted": {
        "task": "dashboard.tasks.post_again",
        "schedule": 60.0,
        "options": {"expires": 50.0},
    },
    "status-letters": {"task": "dashboard.tasks.send_status_letters", "schedule": 15.0},
    "status-dispatches": {
        "task": "dashboard.tasks.send_status_dispatches",
        "schedule": 15.0,
        "options": {"expires": 15.0},
    },
    "status-forget": {"task": "dashboard.tasks.forget_status", "schedule": 86400.0},
    "support-letters": {"task": "dashboard.tasks.send_support_letters", "schedule": 15.0},
    "support-forget": {"task": "dashboard.tasks.forget_support", "schedule": 86400.0},
    "model-hours": {"task": "usage.tasks.sum_model_hours", "schedule": 60.0},
    "model-hours-again": {"task": "usage.tasks.sum_model_hours_again", "schedule": 86400.0},
}
