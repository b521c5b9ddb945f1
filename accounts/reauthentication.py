"""What asks again who you are: whatever outlives the session in which it is done.

A key, a second factor, the end of an account. A sign-in of the last minutes is enough of an
answer (``ACCOUNT_REAUTHENTICATION_TIMEOUT``); later the password, a passkey or a code is asked
for, and then what was asked for goes on.
"""

from typing import cast

from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.http import HttpRequest

from accounts.guards import View
from accounts.sessions import began_within


def freshly_confirmed(view: View) -> View:
    """Let a view be reached only by somebody who has lately shown that they are who they are.

    Stands below the guard of a view: who may not do it is not asked first.
    """
    return cast(View, reauthentication_required(view, app="accounts"))


def required(request: HttpRequest) -> bool:
    """allauth's question, for its pages and ours: was the sign-in too long ago to be enough?"""
    return not began_within(request, settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)
