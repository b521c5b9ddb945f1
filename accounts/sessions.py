"""How long a session lives, and how all sessions of a user end at once.

A session ends after half a day in which nothing was asked, and after two weeks whatever is. All
but the present one end when a password, an e-mail address or a second factor changes.
"""

import time
from collections.abc import Callable

from allauth.usersessions.models import UserSession
from django.contrib.auth import SESSION_KEY as USER_KEY
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import patch_cache_control

from accounts.audit import Action, Actor, record_for_user
from accounts.models import User

IDLE, ABSOLUTE = 12 * 3600, 14 * 24 * 3600  # seconds
NOTED_EVERY = 60
BEGAN, SEEN = "began_at", "seen_at"


class SessionLifetimeMiddleware:
    """Signs out whoever was away for too long, and notes, once a minute, that somebody is here.

    What somebody sees who is signed in is kept by no browser and no proxy, unless it is public.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        signed_in = USER_KEY in request.session
        if signed_in:
            look_at(request)
        answer = self.get_response(request)
        public = "public" in answer.get("Cache-Control", "")
        if not public and (signed_in or USER_KEY in request.session):
            patch_cache_control(answer, private=True, no_store=True)
        return answer


def look_at(request: HttpRequest) -> None:
    session, now = request.session, time.time()
    began, seen = session.get(BEGAN, now), session.get(SEEN, 0)
    if seen and (now - seen > IDLE or now - began > ABSOLUTE):
        logout(request)
    elif now - seen > NOTED_EVERY:
        session[BEGAN], session[SEEN] = began, now
        key = session.session_key
        UserSession.objects.filter(session_key=key).update(last_seen_at=timezone.now())


def began_within(request: HttpRequest, seconds: float) -> bool:
    """Whether the visitor signed in that lately, in this session."""
    began: float = request.session.get(BEGAN, 0)
    return time.time() - began < seconds


def sessions_of(user: User) -> list[UserSession]:
    """The sessions that ``user`` could go on with, newest first."""
    alive = Session.objects.filter(expire_date__gt=timezone.now())
    mine = UserSession.objects.filter(user=user, session_key__in=alive.values("session_key"))
    return list(mine.order_by("-last_seen_at"))


@transaction.atomic
def end(sessions: QuerySet[UserSession]) -> int:
    """End these sessions; how many there were."""
    keys = list(sessions.values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    sessions.delete()
    return len(keys)


@transaction.atomic
def sign_out(user: User, *, by: Actor) -> int:
    """End every session of somebody else; how many were listed. Nothing they carry fits longer."""
    User.objects.filter(pk=user.pk).update(sessions_ended=F("sessions_ended") + 1)
    ended = end(UserSession.objects.filter(user=user))
    record_for_user(user, Action.SESSIONS_ENDED, by=by, about=user.email)
    return ended


@transaction.atomic
def end_others(request: HttpRequest, user: User) -> None:
    """End every session of ``user`` but the one that asks, if it is theirs.

    Also those that nobody keeps a list of: what they carry fits no longer.
    """
    User.objects.filter(pk=user.pk).update(sessions_ended=F("sessions_ended") + 1)
    user.refresh_from_db(fields=["sessions_ended"])
    here = request.session.session_key if request.user == user else None
    end(UserSession.objects.filter(user=user).exclude(session_key=here or ""))
    if here:
        update_session_auth_hash(request, user)  # under a new key
        now = request.session.session_key
        UserSession.objects.filter(session_key=here).update(session_key=now)
