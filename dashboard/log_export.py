"""The log as a file to keep: what the Logs page shows, all of it, as CSV or as JSON lines."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

from asgiref.sync import sync_to_async
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts import audit
from accounts.audit import Action, Actor
from accounts.middleware import AccountRequest
from accounts.models import APIKey
from dashboard.export_turns import Turn
from dashboard.log_files import FORMATS, Format
from dashboard.log_filters import LogFilterForm
from dashboard.logs import filter_form
from dashboard.members import act_in_an_account, page_of_an_account, part_wanted
from usage import log_store, partitions, retention
from usage.models import RequestLog

AT_A_TIME = 1000  # rows in memory


@page_of_an_account
def export(request: AccountRequest) -> HttpResponse:
    """How much there is to export, as what; and how far the export is that runs just now."""
    form = filter_form(request, keys_of(request))
    return shown(request, form, status=200 if form.is_valid() else 422)


@act_in_an_account
def download(request: AccountRequest, name: str) -> HttpResponseBase:
    """The file itself, as it is read from the log; one at a time for each account."""
    api_keys = keys_of(request)
    form, file = filter_form(request, api_keys), FORMATS.get(name)
    if file is None:
        raise Http404("The log is exported as CSV or JSONL.")
    if not form.is_valid():
        return shown(request, form, status=422)
    turn = Turn.begin(request.account.pk)
    if turn is None:
        return shown(request, form, status=409)
    act = {"format": name, "filters": form.query}
    audit.record(request.account, Action.LOGS_EXPORTED, by=Actor.of(request), **act)
    names = {pk: api_key.name for pk, api_key in api_keys.items()}
    found = log_store.batches(request.account.pk, form.filters, at_a_time=AT_A_TIME)
    response = StreamingHttpResponse(written(found, file, names, turn), content_type=file.kind)
    filename = f"requests-{timezone.now():%Y%m%d-%H%M%S}.{name}"
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    response["X-Accel-Buffering"] = "no"
    return response


async def written(
    found: Iterator[list[RequestLog]], file: Format, key_names: dict[int, str], turn: Turn
) -> AsyncIterator[bytes]:
    """Batch by batch; the next is read when the one before is on its way."""
    rows, read = 0, sync_to_async(lambda: next(found, None))
    try:
        yield file.head
        while (batch := await read()) is not None:
            yield file.lines(batch, key_names)
            rows += len(batch)
            await sync_to_async(turn.goes_on)(rows)
        await sync_to_async(turn.done)(rows)
    finally:
        await sync_to_async(turn.end)()


def shown(request: AccountRequest, form: LogFilterForm, *, status: int) -> HttpResponse:
    account = request.account
    context: dict[str, object] = {
        "form": form,
        "formats": FORMATS,
        "progress": Turn.progress_of(account.pk),
        "busy": status == 409,
    }
    if form.is_valid():
        oldest = timezone.now() - timedelta(days=partitions.DAYS_KEPT[retention.class_of(account)])
        context["number"], context["is_exact"] = log_store.about(account.pk, form.filters, oldest)
    context["part"] = part_wanted(request)
    name = "_export_progress" if context["part"] == "progress" else "log_export"
    return render(request, f"dashboard/{name}.html", context, status=status)


def keys_of(request: AccountRequest) -> dict[int, APIKey]:
    return {api_key.pk: api_key for api_key in request.account.api_keys.all()}
