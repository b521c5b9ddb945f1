"""Is there somebody who does what may be late, and somebody who asks for it?"""

from collections.abc import Iterator

from kombu.exceptions import OperationalError

from dashboard import signs_of_life
from dashboard.celery import app
from dashboard.doctor.finding import Finding, broken, fine

PATIENCE = 2.0  # seconds for workers to say what they do
SILENCE = 120.0  # seconds


def workers() -> Iterator[Finding]:
    """Every queue needs one."""
    try:
        said = app.control.inspect(timeout=PATIENCE).active_queues() or {}
    except (OperationalError, OSError) as error:
        yield Finding("unknown", f"Workers cannot be asked: {error}")
        return
    served = {queue["name"] for queues in said.values() for queue in queues}
    for name in signs_of_life.QUEUES:
        if name in served:
            yield fine(f"A worker serves the queue {name}.")
        else:
            yield broken(
                f"No worker serves the queue {name}.",
                f"celery --app dashboard worker --queues {name}",
            )


def beat() -> Iterator[Finding]:
    seconds = signs_of_life.seconds_ago()
    if seconds is None:
        yield broken("Beat was never seen.", "celery --app dashboard beat, once")
    elif seconds > SILENCE:
        yield broken(
            f"What beat asks for was last done {seconds:.0f} s ago.",
            "Start beat, and a worker of the queue celery.",
        )
    else:
        yield fine(f"What beat asks for was done {seconds:.0f} s ago.")
