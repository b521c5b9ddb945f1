"""The page of an invoice, where an open one is paid, and the invoice as a file."""

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from billing.simulated.errors import CardError
from billing.simulated.exchange import Answer
from billing.simulated.objects import collection, invoices
from billing.simulated.objects.cards import attach, declined
from billing.simulated.pages.frame import NOTICE, button, card_field, day, link, money, page
from billing.simulated.simulation import Simulation
from billing.simulated.store import Doc


def show(sim: Simulation, key: str, error: str = "") -> Answer:
    invoice = sim.get("invoice", key)
    parts = [summary(invoice), link(invoice["invoice_pdf"], "PDF")]
    if invoice["status"] == "open":
        if invoices.intent_of(sim, invoice)["status"] == "requires_action":
            parts.append(button("approve", "My bank may: it is me"))
        parts.append(button("pay", "Pay", card_field()))
    return page(f"Invoice {invoice['number']}", *parts, error=error)


def summary(invoice: Doc) -> SafeString:
    lines = format_html_join("", "<li>{}: {}</li>", rows(invoice))
    due = money(invoice["amount_due"], invoice["currency"])
    return format_html("<ul>{}</ul><p>Due: {} ({})</p>", lines, due, invoice["status"])


def rows(invoice: Doc) -> list[tuple[str, str]]:
    """Its lines, and what the customer's balance has paid of them or adds to them."""
    lines = [(line["description"], line["amount"]) for line in invoice["lines"]["data"]]
    if used := invoices.from_balance(invoice):
        lines.append(("Taken from the balance" if used > 0 else "Put on the balance", -used))
    return [(text, money(amount, invoice["currency"])) for text, amount in lines]


def act(sim: Simulation, key: str, typed: dict[str, str]) -> Answer:
    """A card that is kept but declines has been tried: that stays on record."""
    invoice, error = sim.get("invoice", key), ""
    if invoice["status"] != "open":
        return show(sim, key)
    if typed.get("action") == "approve":
        collection.collect(sim, invoice, approved=True)
        return show(sim, key)
    try:
        method = attach(sim, sim.get("customer", invoice["customer"]), typed.get("number", ""))
    except CardError as refused:
        return show(sim, key, str(refused))
    subscription = invoices.subscription_of(sim, invoice)
    subscription["default_payment_method"] = method["id"]
    sim.save(subscription, "customer.subscription.updated")
    if not collection.collect(sim, invoice, method):
        error = str(declined(method["_outcome"]))
    return show(sim, key, error)


def pdf(sim: Simulation, key: str) -> Answer:
    """One page of text, written by hand."""
    invoice = sim.get("invoice", key)
    lines = [NOTICE, f"Invoice {invoice['number']} of {day(invoice['created'])}"]
    lines += [f"{description}: {amount}" for description, amount in rows(invoice)]
    lines.append(f"Total: {money(invoice['total'], invoice['currency'])} ({invoice['status']})")
    name = f'attachment; filename="{invoice["number"]}.pdf"'
    headers = {"content-type": "application/pdf", "content-disposition": name}
    return Answer(200, document(lines), headers)


def document(lines: list[str]) -> bytes:
    """The smallest PDF that shows them one below the other."""
    text = b" T* ".join(b"(%b) Tj" % escaped(line) for line in lines)
    stream = b"BT /F1 12 Tf 16 TL 72 770 Td %b ET" % text
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    made, offsets = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        offsets.append(len(made))
        made += b"%d 0 obj\n%b\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count, at = len(objects) + 1, len(made)
    made += b"xref\n0 %d\n0000000000 65535 f \n%b" % (count, table)
    return made + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, at)


def escaped(line: str) -> bytes:
    text = line.replace("−", "-").encode("cp1252", errors="replace")
    return text.replace(b"\\", rb"\\").replace(b"(", rb"\(").replace(b")", rb"\)")
