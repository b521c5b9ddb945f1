"""What a browser gets when we failed: 503 while a server of ours is away, else 500."""

import sys

import redis
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views.decorators.csrf import requires_csrf_token
from django.views.defaults import server_error

AWAY = (OperationalError, InterfaceError, redis.ConnectionError, redis.TimeoutError)
RETRY_AFTER = 5  # seconds


@requires_csrf_token
def failed(request: HttpRequest) -> HttpResponse:
    """Django calls this while it handles the exception. Nothing here may need a server."""
    if not isinstance(sys.exc_info()[1], AWAY):
        return server_error(request)
    page = loader.get_template("503.html").render()
    return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER)})
