"""Products, and their prices in whole months."""

from billing.simulated.errors import InvalidRequest
from billing.simulated.objects.calendar import MONTHS
from billing.simulated.parameters import DATED, EXPAND, METADATA, Needed
from billing.simulated.simulation import Simulation
from billing.simulated.store import Doc

ABOUT_PRODUCT = {"active": bool, "description": str, "metadata": METADATA, **EXPAND}
CREATE_PRODUCT = {"name": Needed(str), "id": str, **ABOUT_PRODUCT}
UPDATE_PRODUCT = {"name": str, "default_price": str, **ABOUT_PRODUCT}
LIST_PRODUCTS = {"ids": [str], "active": bool, **DATED}

RECURRING = {"interval": Needed(set(MONTHS)), "interval_count": int}
TAX_BEHAVIORS = {"exclusive", "inclusive", "unspecified"}
ABOUT_PRICE = {
    "active": bool,
    "lookup_key": str,
    "metadata": METADATA,
    "nickname": str,
    "tax_behavior": TAX_BEHAVIORS,
    "transfer_lookup_key": bool,
    **EXPAND,
}
CREATE_PRICE = {
    "currency": Needed(str),
    "product": Needed(str),
    "unit_amount": Needed(int),
    "recurring": Needed(RECURRING),
    **ABOUT_PRICE,
}
UPDATE_PRICE = ABOUT_PRICE
LIST_PRICES = {"lookup_keys": [str], "product": str, "active": bool, "currency": str, **DATED}


def change_metadata(doc: Doc, given: Doc) -> None:
    """An empty value takes a name away, an empty mapping all of them."""
    if "metadata" in given:
        merged = {**doc["metadata"], **given["metadata"]} if given["metadata"] else {}
        doc["metadata"] = {name: value for name, value in merged.items() if value != ""}


def change(doc: Doc, given: Doc, *names: str) -> None:
    """Take over what was given; an empty text takes a value away."""
    for name in names:
        if name in given:
            doc[name] = None if given[name] == "" else given[name]
    change_metadata(doc, given)


def create_product(sim: Simulation, given: Doc) -> Doc:
    if "id" in given and sim.store.find(given["id"]):
        message = f"There is a product {given['id']!r} already."
        raise InvalidRequest(message, code="resource_already_exists", param="id")
    product = sim.new(
        "product",
        active=True,
        name="",
        description=None,
        default_price=None,
        images=[],
        marketing_features=[],
        type="service",
        updated=sim.now(),
        livemode=False,
        metadata={},
    )
    change(product, given, "id", "name", "active", "description")
    return sim.save(product, "product.created")


def retrieve_product(sim: Simulation, given: Doc, key: str) -> Doc:
    return sim.get("product", key)


def update_product(sim: Simulation, given: Doc, key: str) -> Doc:
    product = sim.get("product", key)
    change(product, given, "name", "active", "description", "default_price")
    product["updated"] = sim.now()
    return sim.save(product, "product.updated")


def list_products(sim: Simulation, given: Doc) -> list[Doc]:
    return [
        product
        for product in sim.store.all("product")
        if product["active"] == given.get("active", product["active"])
        and product["id"] in given.get("ids", [product["id"]])
    ]


def create_price(sim: Simulation, given: Doc) -> Doc:
    sim.get("product", given["product"], "product")
    recurring = {"interval_count": 1, "usage_type": "licensed", **given["recurring"]}
    price = sim.new(
        "price",
        active=True,
        billing_scheme="per_unit",
        currency=given["currency"].lower(),
        lookup_key=None,
        nickname=None,
        product=given["product"],
        recurring={"meter": None, "trial_period_days": None, **recurring},
        tax_behavior="unspecified",
        type="recurring",
        unit_amount=given["unit_amount"],
        unit_amount_decimal=str(given["unit_amount"]),
        livemode=False,
        metadata={},
    )
    return name_price(sim, price, given, "price.created")


def retrieve_price(sim: Simulation, given: Doc, key: str) -> Doc:
    return sim.get("price", key)


def update_price(sim: Simulation, given: Doc, key: str) -> Doc:
    """The amount of a price never changes: that takes another price."""
    return name_price(sim, sim.get("price", key), given, "price.updated")


def name_price(sim: Simulation, price: Doc, given: Doc, event_type: str) -> Doc:
    """A lookup key names one price; another takes it over only if it says so."""
    wanted = given.get("lookup_key")
    for other in sim.store.all("price", lookup_key=wanted) if wanted else []:
        if other["id"] == price["id"]:
            continue
        if not given.get("transfer_lookup_key"):
            message = f"Another price has the lookup key {wanted!r}."
            raise InvalidRequest(message, param="lookup_key")
        other["lookup_key"] = None
        sim.save(other, "price.updated")
    change(price, given, "active", "lookup_key", "nickname", "tax_behavior")
    return sim.save(price, event_type)


def list_prices(sim: Simulation, given: Doc) -> list[Doc]:
    def wanted(price: Doc) -> bool:
        return all(price[name] == given[name] for name in same) and (
            "lookup_keys" not in given or price["lookup_key"] in given["lookup_keys"]
        )

    same = given.keys() & {"active", "product", "currency"}
    return [price for price in sim.store.all("price") if wanted(price)]


def months(price: Doc) -> int:
    """How many months a period at this price has."""
    recurring = price["recurring"]
    return MONTHS[recurring["interval"]] * int(recurring["interval_count"])
