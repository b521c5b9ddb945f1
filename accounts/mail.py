"""Letters to people. Each is a template in ``templates/mail`` whose first line is the subject."""

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string


def send_on_commit(name: str, recipient: str, **context: object) -> None:
    """Send a letter once the transaction holds; a mail server that is away undoes nothing."""
    context |= {"brand": settings.PRODUCT.name, "url": settings.PUBLIC_URL}
    subject, _, text = render_to_string(f"mail/{name}.txt", context).strip().partition("\n")

    def send() -> None:
        send_mail(subject, text.strip() + "\n", None, [recipient])

    transaction.on_commit(send, robust=True)
