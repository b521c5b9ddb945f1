"""What they did: one row per API call for as long as it is kept, and hourly sums for ever."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models

from usage.adjustments import UsageAdjustment
from usage.long_kept import LongKept
from usage.spent import AccountDay
from usage.told import UsageAlert

__all__ = [
    "REQUEST_ID",
    "AccountDay",
    "EndUserDay",
    "EndUserHour",
    "ErrorHour",
    "HourlySums",
    "LongKept",
    "ModelHour",
    "NamedHour",
    "Outcome",
    "Payload",
    "RequestLog",
    "RequestLogQuerySet",
    "UsageAdjustment",
    "UsageAlert",
    "UsageHour",
    "day_of",
]
REQUEST_ID = re.compile(r"req_0[0-9a-f]{27}", re.ASCII)  # good until the year 2527


def day_of(request_id: str) -> date | None:
    """The UTC day a request began: its id opens with the milliseconds. None if it is no id."""
    if not REQUEST_ID.fullmatch(request_id):
        return None
    return datetime.fromtimestamp(int(request_id[4:16], 16) / 1000, UTC).date()


class Outcome(models.TextChoices):
    OK = "ok"
    CLIENT_ERROR = "client_error"
    REFUSED = "refused"
    UPSTREAM_ERROR = "upstream_error"
    CLIENT_DISCONNECT = "client_disconnect"
    INTERRUPTED = "interrupted"


class RequestLogQuerySet(models.QuerySet["RequestLog"]):
    def named(self, request_id: str) -> RequestLogQuerySet:
        """The row of one request, looked for only on the day its id tells."""
        day = day_of(request_id)
        if day is None:
            return self.none()
        around = (day - timedelta(1), day + timedelta(1))
        return self.filter(request_id=request_id, day__range=around)


class RequestLog(models.Model):
    """One API call afterwards. Model and provider are text: history outlives the catalogue.

    In the database the table is partitioned by retention class and day, which therefore are part
    of its primary key; ``request_id`` is unique by itself.
    """

    request_id = models.CharField(max_length=40, primary_key=True)
    day = models.DateField()
    retention_class = models.CharField(max_length=10)
    account = models.ForeignKey(
        "accounts.Account",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="request_logs",
    )
    api_key = models.ForeignKey(
        "accounts.APIKey",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    started_at = models.DateTimeField()
    endpoint = models.CharField(max_length=40)
    requested_model = models.CharField(max_length=200)
    model = models.CharField(max_length=200)
    provider = models.CharField(max_length=100)
    status_code = models.SmallIntegerField()
    outcome = models.CharField(max_length=20, choices=Outcome)
    error_type = models.CharField(max_length=100)
    error_code = models.CharField(max_length=100)
    error_message = models.CharField(max_length=2000)
    prompt_tokens = models.BigIntegerField()
    completion_tokens = models.BigIntegerField()
    usage_source = models.CharField(max_length=10)
    latency_ms = models.IntegerField()
    ttft_ms = models.IntegerField(null=True)
    streamed = models.BooleanField()
    ip = models.CharField(max_length=45)
    user_agent = models.CharField(max_length=300)
    end_user = models.CharField(max_length=200)
    attempts = models.SmallIntegerField()
    admitted = models.BooleanField()
    decision = models.JSONField(default=dict)
    objects = RequestLogQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at", "-request_id"]
        indexes = [
            models.Index(
                fields=["account", "-started_at", "-request_id"], name="requestlog_newest"
            ),
            models.Index(
                fields=["account", "-started_at", "-request_id"],
                name="requestlog_failed",
                condition=~models.Q(outcome="ok"),
            ),
            models.Index(
                fields=["account", "end_user", "-started_at", "-request_id"],
                name="requestlog_end_user",
                condition=~models.Q(end_user=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.request_id} {self.outcome}"

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


class HourlySums(models.Model):
    """The sums of the calls that a rollup does not tell apart. ``hour`` is the moment it begins.

    ``generated_tokens`` came after the first one of an answer that was streamed to its end, within
    ``generation_ms``.
    """

    account = models.ForeignKey(
        "accounts.Account",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="%(class)ss",
    )
    hour = models.DateTimeField()
    api_key = models.ForeignKey(
        "accounts.APIKey",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    model = models.CharField(max_length=200)
    endpoint = models.CharField(max_length=40, default="")
    requests = models.BigIntegerField(default=0)
    admitted = models.BigIntegerField(default=0)
    ok = models.BigIntegerField(default=0)
    client_errors = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)
    upstream_errors = models.BigIntegerField(default=0)
    client_disconnects = models.BigIntegerField(default=0)
    interrupted = models.BigIntegerField(default=0)
    prompt_tokens = models.BigIntegerField(default=0)
    completion_tokens = models.BigIntegerField(default=0)
    generated_tokens = models.BigIntegerField(default=0)
    generation_ms = models.BigIntegerField(default=0)

    class Meta:
        abstract = True


class UsageHour(HourlySums):
    """Every call of an hour, by account, key, model and endpoint."""

    latency_histogram = ArrayField(models.BigIntegerField(), default=list)
    ttft_histogram = ArrayField(models.BigIntegerField(), default=list)

    class Meta:
        ordering = ["hour", "account_id", "api_key_id", "model", "endpoint"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "hour", "api_key", "model", "endpoint"], name="usage_hour_once"
            ),
        ]
        indexes = [models.Index(fields=["hour"], name="usage_hour_of_everybody")]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h {self.model}: {self.requests}"


class NamedHour(HourlySums):
    """Only the calls that have a name, by that name too.

    Clients may invent names, so only the first ``rollups.MOST_NAMES`` of an account's hour are
    kept apart; the calls of all later ones are under the empty name.
    """

    name = models.CharField(max_length=200)

    class Meta:
        abstract = True
        ordering = ["hour", "account_id", "name", "api_key_id", "model", "endpoint"]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h {self.name}: {self.requests}"


class EndUserHour(NamedHour):
    """Calls made for an end user, as their ``user`` says."""

    class Meta(NamedHour.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["account", "hour", "name", "api_key", "model", "endpoint"],
                name="end_user_hour_once",
            ),
        ]


class EndUserDay(HourlySums):
    """The sums of an end user over a UTC day. ``hour`` is the one that the day begins with."""

    api_key = model = endpoint = None  # type: ignore[assignment]
    name = models.CharField(max_length=200)

    class Meta:
        ordering = ["hour", "account_id", "name"]
        constraints = [
            models.UniqueConstraint(fields=["account", "hour", "name"], name="end_user_day_once"),
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d} {self.name}: {self.requests}"


class ErrorHour(NamedHour):
    """Calls that were not answered: ``outcome:code``."""

    class Meta(NamedHour.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["account", "hour", "name", "api_key", "model", "endpoint"],
                name="error_hour_once",
            ),
        ]


class Payload(models.Model):
    """What was asked and answered, redacted; only of keys whose owner wants it, and only for days.

    The table is partitioned by ``forget_on``, which is part of its primary key.
    """

    request_id = models.CharField(max_length=40, primary_key=True)
    forget_on = models.DateField()
    account_id = models.BigIntegerField()
    api_key_id = models.BigIntegerField()
    request = models.TextField()
    response = models.TextField()
    request_bytes = models.BigIntegerField()
    response_bytes = models.BigIntegerField()

    class Meta:
        ordering = ["request_id"]

    def __str__(self) -> str:
        return self.request_id


class ModelHour(models.Model):
    """How one model fared in one UTC hour, for everybody together; summed from UsageHour."""

    hour = models.DateTimeField()
    model = models.CharField(max_length=200)
    ok = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)
    latency_histogram = ArrayField(models.BigIntegerField(), default=list)
    ttft_histogram = ArrayField(models.BigIntegerField(), default=list)

    class Meta:
        ordering = ["hour", "model"]
        constraints = [
            models.UniqueConstraint(fields=["hour", "model"], name="model_hour_once"),
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h {self.model}: {self.ok} ok, {self.failed} failed"
