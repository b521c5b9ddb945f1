"""Dispatches on their way: claimed, signed, posted, and what comes of the answer."""

import time
from datetime import timedelta

import msgspec
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from dashboard.status.dispatches import Dispatch
from dashboard.status.receivers import Receiver
from webhooks import schedule, signing
from webhooks.posting import Reply, post

USER_AGENT = "Keyplex-Status/1.0"
GONE = 410
QUESTIONS = 4  # times that a URL is asked whether it wants to be told: within half an hour


def tell(receiver_pk: int) -> None:
    """Send what is due to a receiver, the oldest first, until nothing is or one fails."""
    receiver = Receiver.objects.filter(pk=receiver_pk).first()
    while receiver and (dispatch := Dispatch.objects.claim(receiver)):
        if not finish(dispatch, receiver, send(dispatch, receiver)):
            return


def send(dispatch: Dispatch, receiver: Receiver) -> Reply:
    """One attempt, signed as of now. No transaction is open: a slow receiver holds no lock."""
    secret = receiver.secret
    if secret is None:
        return Reply(error="the secret cannot be read")
    body, now = dispatch.payload.encode(), int(time.time())
    headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT}
    return post(receiver.url, body, headers | signing.headers(dispatch.pk, now, body, [secret]))


@transaction.atomic
def finish(dispatch: Dispatch, receiver: Receiver, reply: Reply) -> bool:
    """Write down how an attempt went; whether it arrived."""
    if reply.status == GONE:
        receiver.stop()
        return False
    is_question = dispatch.update_id is None
    arrived = reply.ok and (not is_question or echoes(reply.excerpt, receiver.challenge))
    if arrived:
        dispatch.finish(arrived=True)
        if is_question:
            receiver.confirm()
        else:
            receiver.note_success()
        return True
    delay = delay_after(dispatch, reply)
    dispatch.finish(arrived=False, again_at=timezone.now() + delay if delay else None)
    if not is_question:
        receiver.note_failure()
    return False


def delay_after(dispatch: Dispatch, reply: Reply) -> timedelta | None:
    """How long to wait before the next attempt; None if there is none."""
    if dispatch.update_id is None and dispatch.attempts_made >= QUESTIONS:
        return None
    return schedule.delay_after(dispatch.attempts_made, reply.retry_after)


class Echo(msgspec.Struct):
    challenge: str


def echoes(answer: str, challenge: str) -> bool:
    """Whether an answer is the challenge: as plain text, or as JSON with the same field.

    >>> echoes('{"challenge": "abc"}', "abc"), echoes("abc\\n", "abc"), echoes("ok", "abc")
    (True, True, False)
    """
    try:
        told = msgspec.json.decode(answer, type=Echo).challenge
    except (msgspec.MsgspecError, RecursionError):
        told = answer.strip()
    return constant_time_compare(told, challenge)
