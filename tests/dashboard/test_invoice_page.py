"""An invoice is a page to read and to print, for those who pay."""

import pytest
from django.test import Client

from billing.invoices import Invoice
from tests.dashboard.conftest import Scene, browser_of, text_of
from tests.dashboard.test_billing_page import make_invoice
from tests.people import make_colleague

pytestmark = pytest.mark.django_db
PDF = "https://pay.stripe.example/invoice/pdf"


def address(invoice: Invoice) -> str:
    return f"/billing/invoices/{invoice.pk}"


def test_it_says_what_was_paid_for_by_whom_and_leads_to_the_document(scene: Scene) -> None:
    invoice = make_invoice(scene.key.account, 1, about="Monthly", amount_due=2900, pdf_url=PDF)

    page = scene.owner.get(address(invoice))

    text = text_of(page)
    assert "Invoice N-0001" in text
    assert "Monthly" in text
    assert f"Billed to {scene.key.account}" in text
    assert "Total $29.00 Paid $29.00 Still to pay $0.00" in text
    assert f'href="{PDF}"' in page.content.decode()
    assert "Taken from the balance" not in text


def test_what_was_credited_given_back_and_is_owed_is_told_apart(scene: Scene) -> None:
    account = scene.key.account
    credited = make_invoice(account, 1, total=2900, amount_due=1900, amount_paid=1900)
    refunded = make_invoice(account, 2, refunded=900)
    owed = {"status": "open", "amount_due": 2900, "amount_paid": 0, "hosted_url": f"{PDF}/pay"}
    open_one = make_invoice(account, 3, **owed)

    pages = [scene.owner.get(address(one)) for one in (credited, refunded, open_one)]

    texts = [text_of(page) for page in pages]
    assert "Total $29.00 Taken from the balance −$10.00 Paid $19.00 Still to pay $0.00" in texts[0]
    assert "partly refunded" in texts[1]
    assert "Given back $9.00" in texts[1]
    assert "Still to pay $29.00" in texts[2]
    assert [f'href="{PDF}/pay">Pay' in page.content.decode() for page in pages] == [
        *(False, False),
        True,
    ]


def test_the_list_of_invoices_leads_there(scene: Scene) -> None:
    invoice = make_invoice(scene.key.account, 1)

    assert f'href="{address(invoice)}"' in scene.owner.get("/billing").content.decode()


@pytest.mark.parametrize(
    ("role", "status"), [("admin", 200), ("billing", 200), ("developer", 403), ("viewer", 403)]
)
def test_only_who_may_see_amounts_sees_it(scene: Scene, role: str, status: int) -> None:
    invoice = make_invoice(scene.key.account, 1)
    colleague = browser_of(make_colleague(scene.key.account, role))

    assert colleague.get(address(invoice)).status_code == status


def test_a_stranger_finds_nothing_and_nobody_signs_in_by_it(scene: Scene) -> None:
    invoice = make_invoice(scene.key.account, 1)

    assert scene.stranger.get(address(invoice)).status_code == 404
    assert "/login/" in Client().get(address(invoice))["Location"]
    assert scene.owner.post(address(invoice)).status_code == 405


@pytest.mark.parametrize("status", ["draft", "void"])
def test_what_was_never_issued_is_no_page(scene: Scene, status: str) -> None:
    invoice = make_invoice(scene.key.account, 1, status=status)

    assert scene.owner.get(address(invoice)).status_code == 404


def test_on_paper_an_address_has_only_what_belongs_to_it(scene: Scene) -> None:
    usage = text_of(scene.owner.get("/usage?range=7d"))
    billing = text_of(scene.owner.get("/billing?paid=secret"))

    assert "http://testserver/usage?range=7d" in usage
    assert "http://testserver/billing " in billing
    assert "secret" not in billing
