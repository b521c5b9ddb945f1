"""Customers, their tax ids and the cards that they have left with us."""

from billing.simulated.errors import InvalidRequest
from billing.simulated.objects.catalog import change
from billing.simulated.parameters import DATED, EXPAND, METADATA, Needed
from billing.simulated.simulation import Simulation
from billing.simulated.store import Doc

ADDRESS = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"), str)
UPDATE = {
    "address": ADDRESS,
    "description": str,
    "email": str,
    "invoice_settings": {"default_payment_method": str},
    "metadata": METADATA,
    "name": str,
    "phone": str,
    **EXPAND,
}
CREATE = UPDATE
LIST = {"email": str, **DATED}
CREATE_TAX_ID = {"type": Needed(str), "value": Needed(str), **EXPAND}
DETAILS = ("address", "description", "email", "name", "phone")


def create(sim: Simulation, given: Doc) -> Doc:
    customer = sim.new(
        "customer",
        **dict.fromkeys(DETAILS),
        balance=0,
        currency=None,
        default_source=None,
        delinquent=False,
        discount=None,
        invoice_settings={"default_payment_method": None, "custom_fields": None, "footer": None},
        next_invoice_sequence=1,
        preferred_locales=[],
        shipping=None,
        tax_exempt="none",
        livemode=False,
        metadata={},
    )
    customer["invoice_prefix"] = customer["id"][-8:].upper()
    apply(sim, customer, given)
    return sim.save(customer, "customer.created")


def retrieve(sim: Simulation, given: Doc, key: str) -> Doc:
    return sim.get("customer", key)


def living(sim: Simulation, key: str, param: str = "customer") -> Doc:
    """Raises NoSuchObject, InvalidRequest for one that was deleted."""
    customer = sim.get("customer", key, param)
    if customer.get("deleted"):
        message = f"The customer {key} was deleted."
        raise InvalidRequest(message, code="resource_missing", param=param)
    return customer


def update(sim: Simulation, given: Doc, key: str) -> Doc:
    customer = living(sim, key)
    apply(sim, customer, given)
    return sim.save(customer, "customer.updated")


def apply(sim: Simulation, customer: Doc, given: Doc) -> None:
    method = given.get("invoice_settings", {}).get("default_payment_method")
    if method is not None:
        own_method(sim, customer, method)
        customer["invoice_settings"]["default_payment_method"] = method
    change(customer, given, *DETAILS)


def own_method(sim: Simulation, customer: Doc, key: str) -> Doc:
    """Raises NoSuchObject, InvalidRequest for somebody else's card."""
    method = sim.get("payment_method", key, "payment_method")
    if method["customer"] != customer["id"]:
        raise InvalidRequest(f"{key} belongs to another customer.", param="payment_method")
    return method


def list_(sim: Simulation, given: Doc) -> list[Doc]:
    same = {"email": given["email"]} if "email" in given else {}
    return [one for one in sim.store.all("customer", **same) if not one.get("deleted")]


def list_methods(sim: Simulation, given: Doc, key: str) -> list[Doc]:
    return sim.store.all("payment_method", customer=sim.get("customer", key)["id"])


def retrieve_method(sim: Simulation, given: Doc, key: str) -> Doc:
    return sim.get("payment_method", key)


def create_tax_id(sim: Simulation, given: Doc, key: str) -> Doc:
    """Whatever looks like one is called pending, as it is nobody's to verify here."""
    customer = living(sim, key)
    tax_id = sim.new(
        "tax_id",
        country=(given["value"] if given["type"] == "eu_vat" else given["type"])[:2].upper(),
        customer=customer["id"],
        owner={"type": "customer", "customer": customer["id"]},
        type=given["type"],
        value=given["value"],
        verification={"status": "pending", "verified_address": None, "verified_name": None},
        livemode=False,
    )
    return sim.save(tax_id, "customer.tax_id.created")


def list_tax_ids(sim: Simulation, given: Doc, key: str) -> list[Doc]:
    tax_ids = sim.store.all("tax_id", customer=sim.get("customer", key)["id"])
    return [tax_id for tax_id in tax_ids if not tax_id.get("deleted")]


def delete_tax_id(sim: Simulation, given: Doc, key: str, tax_id_key: str) -> Doc:
    tax_id = sim.get("tax_id", tax_id_key)
    tax_id["deleted"] = True
    sim.save(tax_id, "customer.tax_id.deleted")
    return {name: tax_id[name] for name in ("id", "object", "deleted")}
