"""What a person sees: labelled as simulated, escaped, and needing nothing from elsewhere."""

from html.parser import HTMLParser
from typing import Any

import pytest
import stripe

from tests.billing.shop import CANCEL, Shop, portal
from tests.billing.stripe_server import ASKING, GOOD, LATER_BAD, POOR

NOTICE = "Simulated billing: no card is charged"
VOID = {"meta", "input", "link", "br"}


class Tags(HTMLParser):
    """Every element is closed by its own name, in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open += [] if tag in VOID else [tag]
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_every_page_says_that_it_is_simulated_and_needs_nothing_from_elsewhere(shop: Shop) -> None:
    session = shop.offer()
    subscription = shop.subscribe()
    urls = [session.url, portal(shop, str(subscription.customer))]
    urls.append(str(shop.invoice(subscription).hosted_invoice_url))

    for url in urls:
        answer = shop.server.visit(url)

        assert answer.status_code == 200
        assert NOTICE in answer.text
        assert answer.text.startswith("<!doctype html>")
        assert not [link for link in Tags(answer.text).links if link.endswith((".css", ".js"))]
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_what_people_call_themselves_is_text_and_never_markup(shop: Shop) -> None:
    evil = '"><script>alert(1)</script>'
    product = shop.client.v1.products.create({"name": evil})
    recurring: Any = {"interval": "month"}
    shop.prices["evil"] = shop.client.v1.prices.create(
        {"product": product.id, "currency": "usd", "unit_amount": 1, "recurring": recurring}
    )
    customer = shop.client.v1.customers.create({"email": "a@example.org", "name": evil})
    subscription = shop.subscribe(customer.id, "evil")
    session = shop.offer(plan="evil", customer_email=evil)

    texts = [
        shop.server.visit(url).text
        for url in (
            session.url,
            portal(shop, customer.id),
            str(shop.invoice(subscription).hosted_invoice_url),
        )
    ]

    assert all("&lt;script&gt;" in text for text in texts)
    assert not any("<script" in text for text in texts)


def test_an_address_that_nobody_was_given_leads_nowhere(shop: Shop) -> None:
    for path in ("/", "/checkout/cs_test_none", "/portal/x", "/invoice/in_x/pdf", "/checkout/../x"):
        assert shop.server.visit(f"{shop.server.url}{path}").status_code == 404


def test_a_newcomer_says_who_they_are_at_the_checkout(shop: Shop) -> None:
    session = shop.offer()

    nameless = shop.server.visit(session.url, action="pay", number=GOOD)
    shop.server.visit(session.url, action="pay", number=GOOD, email="new@example.org")

    done = shop.client.v1.checkout.sessions.retrieve(session.id, {"expand": ["customer"]})
    assert nameless.status_code == 422
    assert isinstance(done.customer, stripe.Customer)
    assert done.customer.email == "new@example.org"


def test_who_goes_back_leaves_the_checkout_open(shop: Shop) -> None:
    session = shop.offer()

    page = shop.server.visit(session.url).text

    assert CANCEL in page
    assert shop.client.v1.checkout.sessions.retrieve(session.id).status == "open"


def test_a_checkout_cannot_be_paid_twice(shop: Shop) -> None:
    session = shop.offer(shop.customer().id)

    for _ in range(2):
        shop.server.visit(session.url, action="pay", number=GOOD)

    assert len(shop.client.v1.subscriptions.list().data) == 1
    assert "complete" in shop.server.visit(session.url).text


@pytest.mark.parametrize("number", [POOR, LATER_BAD, "1234", "", "<b>"])
def test_a_card_that_will_not_do_says_so_on_the_page(shop: Shop, number: str) -> None:
    session = shop.offer(shop.customer().id)

    answer = shop.server.visit(session.url, action="pay", number=number)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_approval_without_a_question_is_nothing(shop: Shop) -> None:
    session = shop.offer(shop.customer().id)

    answer = shop.server.visit(session.url, action="approve")

    assert answer.status_code == 200
    assert shop.client.v1.subscriptions.list({"status": "all"}).data == []


def test_an_invoice_is_a_file_as_well(shop: Shop) -> None:
    invoice = shop.invoice(shop.subscribe())

    answer = shop.server.visit(str(invoice.invoice_pdf))

    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-1.4")
    at = int(answer.content.split(b"startxref\n")[1].split()[0])
    assert answer.content[at : at + 4] == b"xref"
    assert f"{invoice.number}.pdf" in answer.headers["content-disposition"]
    assert NOTICE.encode() in answer.content


def test_a_question_of_the_bank_is_asked_before_anything_is_paid(shop: Shop) -> None:
    session = shop.offer(shop.customer().id)

    page = shop.server.visit(session.url, action="pay", number=ASKING)

    assert "Does your bank know you?" in page.text
    assert shop.client.v1.invoices.list({"status": "paid"}).data == []
