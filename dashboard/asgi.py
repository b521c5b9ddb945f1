"""Two applications in one process: the gateway for /v1, Django for everything else."""

import gc
import os
import signal
from multiprocessing import parent_process

if parent_process():  # what a worker inherits from its server ignores SIGTERM until it serves
    signal.signal(signal.SIGTERM, signal.SIG_DFL)

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
django_app = get_asgi_application()  # first: it loads the apps that the gateway imports

from dashboard.embedded.children import die_with_parent  # noqa: E402
from dashboard.guard import Guard  # noqa: E402
from dashboard.health import healthz, readyz  # noqa: E402
from dashboard.inner_call import GATEWAY  # noqa: E402
from dashboard.metrics.page import metrics  # noqa: E402
from dashboard.precautions import DATA, FILES, PAGES, careful  # noqa: E402
from dashboard.static_files import PLACE, static_files  # noqa: E402
from gateway.asgi import ROUTES  # noqa: E402
from gateway.call import Receive, Scope, Send  # noqa: E402
from gateway.sandbox import sandbox  # noqa: E402
from gateway.wiring import Running  # noqa: E402

running: Running | None = None
pages = Guard(django_app)
DIRECT = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":  # Django speaks no lifespan
        return await lifespan(receive, send)
    path: str = scope["path"]
    short = path.removeprefix("/api")
    if running and (short.startswith("/v1/") or short == "/v1" or means_gateway(scope, short)):
        root = path[: -len(short)] if short else path
        within = {**scope, "path": short, "root_path": root}
        return await running.gateway(within, receive, careful(send, DATA))
    if path.startswith("/sandbox/v1/"):
        return await sandbox(scope, receive, careful(send, DATA))
    if path.startswith(PLACE):
        return await static_files(scope, receive, careful(send, FILES))
    within = {**scope, GATEWAY: running.gateway if running else None}
    if path in DIRECT:
        return await DIRECT[path](within, receive, careful(send, DATA))
    return await pages(within, receive, careful(send, PAGES))


def means_gateway(scope: Scope, short: str) -> bool:
    """Whether somebody forgot the /v1: a page may have such a name, but takes no key."""
    if scope["path"].startswith("/api/"):
        return True
    if "/v1" + short not in ROUTES:
        return False
    carriers = (value[:7].lower() for name, value in scope["headers"] if name == b"authorization")
    return scope["method"] == "POST" or b"bearer " in carriers


async def lifespan(receive: Receive, send: Send) -> None:
    global running
    await receive()
    die_with_parent()
    running = await Running.start()
    leave_alone_what_is_loaded()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await running.stop()
    await send({"type": "lifespan.shutdown.complete"})


def leave_alone_what_is_loaded() -> None:
    """Keep the garbage collector off what lives as long as we do; a call leaves it nothing."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)
