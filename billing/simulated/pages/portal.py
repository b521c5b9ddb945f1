"""The page of a portal session: what its configuration allows, for one customer."""

from urllib.parse import urlsplit

from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.simulated.errors import CardError, StripeError
from billing.simulated.exchange import Answer
from billing.simulated.objects import customers, previews, subscriptions
from billing.simulated.objects.cards import attach
from billing.simulated.objects.renewals import HOUR, RUNNING
from billing.simulated.pages.frame import (
    button,
    card_field,
    day,
    field,
    hidden,
    joined,
    link,
    money,
    page,
    redirect,
    terms,
)
from billing.simulated.simulation import Simulation
from billing.simulated.store import Doc

LABELS = {"email": "E-mail", "name": "Name", "tax_id": "VAT number"}


class Portal:
    """One visit. What the configuration does not allow is neither shown nor done."""

    def __init__(self, sim: Simulation, key: str) -> None:
        self.sim = sim
        self.session = sim.get("billing_portal.session", key)
        self.customer = customers.living(sim, self.session["customer"])
        configuration = sim.get("billing_portal.configuration", self.session["configuration"])
        self.features = configuration["features"]
        self.flow = (self.session["flow"] or {}).get("type")

    def allows(self, feature: str) -> bool:
        return bool(self.features[feature]["enabled"]) and self.flow in (None, feature)

    def show(self, error: str = "") -> Answer:
        sections = [self.plan(one) for one in self.running()]
        if self.allows("payment_method_update"):
            sections.append(section("Card", button("card", "Use this card", card_field())))
        if self.allows("customer_update"):
            sections.append(section("Details", self.details()))
        if self.allows("invoice_history"):
            sections.append(section("Invoices", *map(invoice_line, self.invoices())))
        back = link(self.session["return_url"] or "", "Back")
        return page("Your subscription", *sections, back, error=error)

    def running(self) -> list[Doc]:
        """The subscriptions; only that of the flow, if there is one."""
        about = ((self.session["flow"] or {}).get(self.flow) or {}).get("subscription")
        found = self.sim.store.all("subscription", customer=self.customer["id"])
        return [one for one in found if one["status"] in RUNNING and about in (None, one["id"])]

    def invoices(self) -> list[Doc]:
        found = self.sim.store.all("invoice", customer=self.customer["id"])
        return [one for one in found if one["status"] != "draft"]

    def plan(self, subscription: Doc) -> SafeString:
        item = subscription["items"]["data"][0]
        product = self.sim.get("product", item["price"]["product"])
        ends, known = day(item["current_period_end"]), hidden("subscription", subscription["id"])
        said = "ends" if subscription["cancel_at"] else "renews"
        parts = [format_html("<p>{}; {} on {}.</p>", terms(item["price"]), said, ends)]
        if self.allows("subscription_cancel"):
            resumes = bool(subscription["cancel_at"])
            action, label = ("resume", "Resume") if resumes else ("cancel", "Cancel at period end")
            parts.append(button(action, label, known))
        if self.allows("subscription_update"):
            parts += [
                button("preview", self.switch(price), known, hidden("price", price["id"]))
                for price in self.prices()
                if price["id"] != item["price"]["id"]
            ]
        return section(f"{product['name']} ({subscription['status']})", *parts)

    def switch(self, price: Doc) -> str:
        return f"Change to {self.sim.get('product', price['product'])['name']}, {terms(price)}"

    def prices(self) -> list[Doc]:
        products = self.features["subscription_update"]["products"]
        keys = [key for product in products for key in product.get("prices", [])]
        return [self.sim.get("price", key) for key in keys]

    def details(self) -> SafeString:
        names = self.features["customer_update"]["allowed_updates"]
        fields = [field(LABELS[name], name, self.customer.get(name)) for name in names]
        return button("details", "Save", *fields)

    def act(self, typed: dict[str, str]) -> Answer:
        try:
            with self.sim.store.transaction():
                answer = self.decide(typed)
        except StripeError as error:
            return Portal(self.sim, self.session["id"]).show(str(error))
        return answer or self.done()

    def done(self) -> Answer:
        after = (self.session["flow"] or {}).get("after_completion") or {}
        if after.get("redirect"):
            return redirect(after["redirect"]["return_url"])
        return redirect(urlsplit(self.session["url"]).path.rpartition("/")[2])

    def decide(self, typed: dict[str, str]) -> Answer | None:
        match typed.get("action"):
            case "card" if self.allows("payment_method_update"):
                self.use_card(typed)
            case "details" if self.allows("customer_update"):
                self.save_details(typed)
            case "cancel" if self.allows("subscription_cancel"):
                self.cancel(self.mine(typed))
            case "resume" if self.allows("subscription_cancel"):
                given: Doc = {"cancel_at": ""}
                if self.mine(typed)["cancel_at_period_end"]:
                    given = {"cancel_at_period_end": False}
                subscriptions.update(self.sim, given, self.mine(typed)["id"])
            case "preview" if self.allows("subscription_update"):
                return self.preview(typed)
            case "change" if self.allows("subscription_update"):
                given = self.change(typed) | {"payment_behavior": "error_if_incomplete"}
                subscriptions.update(self.sim, given, self.mine(typed)["id"])
        return None

    def mine(self, typed: dict[str, str]) -> Doc:
        """Raises CardError for a subscription of somebody else."""
        for subscription in self.running():
            if subscription["id"] == typed.get("subscription"):
                return subscription
        raise CardError("There is no such subscription.")

    def cancel(self, subscription: Doc) -> None:
        """As Stripe's portal does: at a moment, not by the flag for the end of the period."""
        subscriptions.cancel_later(self.sim, subscription, wanted=True)
        self.sim.save(subscription, "customer.subscription.updated")

    def use_card(self, typed: dict[str, str]) -> None:
        """The customer's own; a subscription that has a card of its own goes on with that.

        An open invoice is not paid by it.
        """
        method = attach(self.sim, self.customer, typed.get("number", ""))
        self.customer["invoice_settings"]["default_payment_method"] = method["id"]
        self.sim.save(self.customer, "customer.updated")

    def save_details(self, typed: dict[str, str]) -> None:
        allowed = self.features["customer_update"]["allowed_updates"]
        given = {name: typed[name] for name in allowed if name in typed and name != "tax_id"}
        customers.update(self.sim, given, self.customer["id"])
        if typed.get("tax_id") and "tax_id" in allowed:
            vat = {"type": "eu_vat", "value": typed["tax_id"]}
            customers.create_tax_id(self.sim, vat, self.customer["id"])

    def change(self, typed: dict[str, str]) -> Doc:
        """Raises CardError for a price that is not offered."""
        price, item = typed.get("price"), self.mine(typed)["items"]["data"][0]
        if price not in [one["id"] for one in self.prices()]:
            raise CardError("There is no such plan.")
        return {
            "items": [{"id": item["id"], "price": price}],
            "proration_behavior": self.features["subscription_update"]["proration_behavior"],
            "proration_date": self.moment(typed),
        }

    def moment(self, typed: dict[str, str]) -> int:
        """That of the preview, if it was shown within the hour; else now."""
        now, shown = self.sim.now(), typed.get("proration_date", "")
        return int(shown) if shown.isdecimal() and now - HOUR <= int(shown) <= now else now

    def preview(self, typed: dict[str, str]) -> Answer:
        change, key = self.change(typed), self.mine(typed)["id"]
        given = {"subscription": key, "subscription_details": change}
        invoice = previews.create(self.sim, given)
        due = money(invoice["amount_due"], invoice["currency"])
        kept = [hidden("subscription", key), hidden("price", change["items"][0]["price"])]
        kept.append(hidden("proration_date", change["proration_date"]))
        said = format_html("<p>The next invoice will be about {}.</p>", due)
        return page("Change of plan", said, button("change", "Change", *kept))


def section(title: str, *parts: SafeString) -> SafeString:
    return format_html("<section><h2>{}</h2>{}</section>", title, joined(parts))


def invoice_line(invoice: Doc) -> SafeString:
    label = f"{invoice['number']}, {money(invoice['total'], invoice['currency'])}"
    return link(invoice["hosted_invoice_url"], f"{label}: {invoice['status']}")
