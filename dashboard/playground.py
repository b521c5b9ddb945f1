"""The Playground: talk to a model with the session instead of a key.

Each question goes the way of every call, as a key that the account keeps for its playground and
that nobody can send (docs/adr/0008-the-playground-calls-as-a-key-that-nobody-holds.md).
"""

import json
import time
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.audit import Actor
from accounts.features import PLAYGROUND
from accounts.guards import check, members_who_may
from accounts.middleware import AccountRequest
from accounts.models import APIKey
from accounts.roles import Right
from dashboard import inner_call
from dashboard.conversation import PlaygroundForm, Reply, remembered, reply
from dashboard.members import part_wanted
from dashboard.snippets import snippets
from dashboard.switched_off import RETRY_AFTER, only_while_on, refuse
from gateway.catalog import offers_now

SHOWN = ("x-", "ratelimit", "retry-after", "content-type", "cache-control")


class Refused(Exception):
    """There is nothing to ask; ``response`` says why."""

    def __init__(self, response: HttpResponse) -> None:
        self.response = response


@require_safe
@members_who_may(Right.USE_PLAYGROUND)
@only_while_on(PLAYGROUND)
def playground(request: AccountRequest) -> HttpResponse:
    """A blank conversation; ``model`` in the address chooses with whom."""
    offers = offers_now()
    first = PlaygroundForm.first_choice(offers, request.GET.get("model", ""))
    form = PlaygroundForm(offers=offers, initial={"model": first})
    return show(request, form)


@require_POST
@members_who_may(Right.USE_PLAYGROUND)
@only_while_on(PLAYGROUND)
def allow(request: AccountRequest) -> HttpResponse:
    """Open the playground again after its key was revoked."""
    APIKey.objects.open_playground(request.account, by=Actor.of(request))
    messages.success(request, "The playground works again.")
    return redirect("dashboard:playground")


@require_POST
@never_cache
async def ask(request: AccountRequest) -> HttpResponse:
    """The whole answer as a page, for a browser without scripts."""
    try:
        form, vouched = await sync_to_async(question)(request)
    except Refused as refused:
        return refused.response
    replies = [
        await whole(request, vouched, form.body(model, past, stream=False))
        for model, past in form.columns
    ]
    return await sync_to_async(show_answers)(request, form, replies)


@require_POST
@never_cache
async def stream(request: AccountRequest) -> HttpResponseBase:
    """The answer of the API as it comes, for the script of the page."""
    try:
        form, vouched = await sync_to_async(question)(request, bare=True)
    except Refused as refused:
        return refused.response
    model, past = form.columns[0]
    body = form.body(model, past, stream=form.cleaned_data["stream"])
    answer = await inner_call.ask(request, vouched, body)
    return StreamingHttpResponse(
        answer.pieces(),
        status=answer.status,
        headers={name: value for name, value in answer.headers.items() if name.startswith(SHOWN)},
    )


@require_POST
@never_cache
async def preview(request: AccountRequest) -> HttpResponse:
    """What the limits and the routes would say to it just now, and the program that asks it."""
    try:
        form, vouched = await sync_to_async(question)(request)
    except Refused as refused:
        return refused.response
    model, past = form.columns[0]
    body = form.body(model, past, stream=form.cleaned_data["stream"])
    answer = await inner_call.ask(request, vouched, body, dry_run=True)
    told = json.loads(await answer.body())
    context = {"dry_run": told, "snippets": snippets("chat/completions", body)}
    return await sync_to_async(show)(request, form, part="preview", **context)


@require_POST
@members_who_may(Right.USE_PLAYGROUND)
@only_while_on(PLAYGROUND)
def code(request: AccountRequest) -> HttpResponse:
    """The program that asks it."""
    form = PlaygroundForm(request.POST, offers=offers_now())
    if not form.is_valid():
        return show(request, form, part="preview", status=422)
    model, past = form.columns[0]
    body = form.body(model, past, stream=form.cleaned_data["stream"])
    return show(request, form, part="preview", snippets=snippets("chat/completions", body))


def question(request: AccountRequest, *, bare: bool = False) -> tuple[PlaygroundForm, bytes]:
    """What is asked, and the digest as which. Raises PermissionDenied, Refused."""
    check(request, Right.USE_PLAYGROUND)
    if PLAYGROUND.is_off:
        page = refuse(request, PLAYGROUND, frame="app.html")
        raise Refused(not_now() if bare else page)
    form = PlaygroundForm(request.POST, offers=offers_now())
    if not form.is_valid():
        refusal = complaint(form) if bare else show(request, form, part="preview", status=422)
        raise Refused(refusal)
    mine = request.account.api_keys.filter(playground=True)
    api_key = mine.first() or APIKey.objects.open_playground(request.account, by=Actor.of(request))
    return form, bytes(api_key.digest)


def not_now() -> JsonResponse:
    """As the API refuses what is our own doing."""
    said = {"type": "server_error", "code": "switched_off", "message": PLAYGROUND.sentence}
    return JsonResponse({"error": said}, status=503, headers={"Retry-After": str(RETRY_AFTER)})


def complaint(form: PlaygroundForm) -> JsonResponse:
    """What is wrong with a form, in the shape of the API's own refusals."""
    name, [error, *_] = next(iter(form.errors.items()))
    label = form.fields[name].label or name.replace("_", " ").capitalize()
    said = {"type": "invalid_request_error", "code": "invalid_form", "param": name}
    return JsonResponse({"error": said | {"message": f"{label}: {error}"}}, status=422)


async def whole(request: AccountRequest, vouched: bytes, body: dict[str, Any]) -> Reply:
    began = time.perf_counter()
    answer = await inner_call.ask(request, vouched, body)
    data = await answer.body()
    took = (time.perf_counter() - began) * 1000
    return reply(body["model"], answer.status, answer.headers, data, took)


def show_answers(
    request: AccountRequest, form: PlaygroundForm, replies: list[Reply]
) -> HttpResponse:
    """The page with what was said so far, ready for the next message."""
    message, fields = form.cleaned_data["message"], ("past", "past_beside")
    after = request.POST.copy()
    for name, (_, past), answer in zip(fields, form.columns, replies, strict=False):
        after[name] = remembered(past, message, answer.text)
    if all(answer.text for answer in replies):
        after["message"] = ""
    model, past = form.columns[0]
    sent = form.body(model, past, stream=False)
    columns = [
        {"model": model, "past": past, "message": message, "reply": answer}
        for (model, past), answer in zip(form.columns, replies, strict=True)
    ]
    initial = {**after.dict(), "stream": "stream" in after}
    again = PlaygroundForm(initial=initial, offers=offers_now())
    return show(request, again, columns=columns, snippets=snippets("chat/completions", sent))


def show(
    request: AccountRequest,
    form: PlaygroundForm,
    *,
    part: str = "",
    status: int = 200,
    **context: object,
) -> HttpResponse:
    """The page, or the part that htmx asks for."""
    newest = request.account.api_keys.filter(playground=True).first()
    context |= {
        "form": form,
        "closed": bool(newest and newest.revoked_at),
        "columns": context.get("columns") or spoken(form),
    }
    name = "_preview" if part and part_wanted(request) == part else "playground"
    return render(request, f"dashboard/{name}.html", context, status=status)


def spoken(form: PlaygroundForm) -> list[dict[str, Any]]:
    """What was said before, to show it again."""
    if form.is_bound and form.is_valid():
        return [{"model": model, "past": past} for model, past in form.columns]
    return [{"model": form["model"].value(), "past": []}]
