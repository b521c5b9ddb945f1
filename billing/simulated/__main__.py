"""``python -m billing.simulated --port 8420 --state var/stripe.sqlite3``"""

import argparse
import os
import signal
import sys

from billing.simulated.server import Connection, Server
from billing.simulated.simulation import Settings
from billing.simulated.site import Site


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("billing.simulated", description="A Stripe of our own.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="0 takes any that is free")
    parser.add_argument("--state", required=True, help="the SQLite file that remembers everything")
    parser.add_argument("--url", help="where browsers reach it, if not at host and port")
    key, secret = os.environ.get("STRIPE_SECRET_KEY"), os.environ.get("STRIPE_WEBHOOK_SECRET")
    parser.add_argument("--key", default=key or "sk_test_simulated", help="or STRIPE_SECRET_KEY")
    parser.add_argument("--webhook", default="", help="the URL that events are posted to")
    parser.add_argument("--webhook-secret", default=secret or "", help="or STRIPE_WEBHOOK_SECRET")
    parser.add_argument(
        *("--after-retries",), choices=("cancel", "unpaid", "past_due"), default="cancel"
    )
    given = parser.parse_args()
    if not given.key.startswith("sk_test_"):
        parser.error("the key must begin with sk_test_: a real one has no business here")
    if given.webhook and not given.webhook_secret.startswith("whsec_"):
        parser.error("a webhook needs a secret that begins with whsec_")
    return given


def main() -> None:
    given = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = Server((given.host, given.port), Connection)
    url = given.url or f"http://{given.host}:{server.server_port}"
    settings = Settings(
        url.rstrip("/"), given.key, given.webhook, given.webhook_secret, given.after_retries
    )
    server.site = Site(given.state, settings)
    server.site.postman.start()
    sys.stdout.write(f"Simulated Stripe at http://{given.host}:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
