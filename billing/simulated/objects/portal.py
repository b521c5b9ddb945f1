"""The billing portal: what a configuration lets customers do, and the sessions to do it in."""

from billing.simulated.errors import InvalidRequest
from billing.simulated.objects import customers
from billing.simulated.objects.catalog import change
from billing.simulated.objects.checkout import check_urls
from billing.simulated.objects.subscriptions import PRORATIONS
from billing.simulated.parameters import EXPAND, METADATA, PAGED, Needed
from billing.simulated.simulation import Simulation
from billing.simulated.store import Doc

SWITCH = {"enabled": Needed(bool)}
FEATURES = {
    "customer_update": {**SWITCH, "allowed_updates": [{"email", "name", "tax_id"}]},
    "invoice_history": SWITCH,
    "payment_method_update": SWITCH,
    "subscription_cancel": {**SWITCH, "mode": {"at_period_end"}},
    "subscription_update": {
        **SWITCH,
        "default_allowed_updates": [{"price"}],
        "products": [{"product": Needed(str), "prices": [str]}],
        "proration_behavior": PRORATIONS,
    },
}
PROFILE = {"headline": str, "privacy_policy_url": str, "terms_of_service_url": str}
ABOUT = {
    "business_profile": PROFILE,
    "default_return_url": str,
    "metadata": METADATA,
    "name": str,
    **EXPAND,
}
CREATE_CONFIGURATION = {"features": Needed(FEATURES), **ABOUT}
UPDATE_CONFIGURATION = {"features": FEATURES, "active": bool, **ABOUT}
LIST_CONFIGURATIONS = {"active": bool, "is_default": bool, **PAGED}

ON_SUBSCRIPTION = {"subscription": Needed(str)}
REDIRECT = {"type": Needed({"redirect"}), "redirect": Needed({"return_url": Needed(str)})}
FLOWS = {"payment_method_update", "subscription_cancel", "subscription_update"}
FLOW = {
    "type": Needed(FLOWS),
    "after_completion": REDIRECT,
    "subscription_cancel": ON_SUBSCRIPTION,
    "subscription_update": ON_SUBSCRIPTION,
}
CREATE_SESSION = {
    "configuration": str,
    "customer": Needed(str),
    "flow_data": FLOW,
    "return_url": str,
    **EXPAND,
}
FEATURE_DEFAULTS: Doc = {
    "customer_update": {"allowed_updates": []},
    "invoice_history": {},
    "payment_method_update": {"payment_method_configuration": None},
    "subscription_cancel": {
        "cancellation_reason": {"enabled": False, "options": []},
        "mode": "at_period_end",
        "proration_behavior": "none",
    },
    "subscription_update": {
        "default_allowed_updates": ["price"],
        "products": [],
        "proration_behavior": "none",
        "schedule_at_period_end": {"conditions": []},
    },
}


def create_configuration(sim: Simulation, given: Doc) -> Doc:
    configuration = sim.new(
        "billing_portal.configuration",
        active=True,
        application=None,
        business_profile=dict.fromkeys(PROFILE),
        default_return_url=None,
        features={name: {"enabled": False, **FEATURE_DEFAULTS[name]} for name in FEATURES},
        is_default=not sim.store.all("billing_portal.configuration"),
        login_page={"enabled": False, "url": None},
        name=None,
        updated=sim.now(),
        livemode=False,
        metadata={},
    )
    return configure(sim, configuration, given, "billing_portal.configuration.created")


def configure(sim: Simulation, configuration: Doc, given: Doc, event_type: str) -> Doc:
    for name, feature in given.get("features", {}).items():
        configuration["features"][name] |= feature
    configuration["business_profile"] |= given.get("business_profile", {})
    change(configuration, given, "active", "default_return_url", "name")
    configuration["updated"] = sim.now()
    return sim.save(configuration, event_type)


def retrieve_configuration(sim: Simulation, given: Doc, key: str) -> Doc:
    return sim.get("billing_portal.configuration", key)


def update_configuration(sim: Simulation, given: Doc, key: str) -> Doc:
    configuration = sim.get("billing_portal.configuration", key)
    return configure(sim, configuration, given, "billing_portal.configuration.updated")


def list_configurations(sim: Simulation, given: Doc) -> list[Doc]:
    same = {name: given[name] for name in ("active", "is_default") if name in given}
    return sim.store.all("billing_portal.configuration", **same)


def create_session(sim: Simulation, given: Doc) -> Doc:
    """Raises InvalidRequest where nobody has said what the portal may do."""
    customer = customers.living(sim, given["customer"])
    check_urls(given, "return_url")
    configuration = configuration_of(sim, given)
    flow = given.get("flow_data")
    session = sim.new(
        "billing_portal.session",
        configuration=configuration["id"],
        customer=customer["id"],
        flow=flow_of(sim, flow) if flow else None,
        livemode=False,
        locale=None,
        return_url=given.get("return_url") or configuration["default_return_url"],
    )
    session["url"] = f"{sim.settings.url}/portal/{session['id']}"
    return sim.save(session, "billing_portal.session.created")


def configuration_of(sim: Simulation, given: Doc) -> Doc:
    if "configuration" in given:
        return sim.get("billing_portal.configuration", given["configuration"], "configuration")
    defaults = sim.store.all("billing_portal.configuration", is_default=True)
    if not defaults:
        raise InvalidRequest("Create a configuration of the portal first.", param="configuration")
    return defaults[0]


def flow_of(sim: Simulation, given: Doc) -> Doc:
    kind = given["type"]
    about = given.get(kind)
    if kind != "payment_method_update":
        if not about:
            raise InvalidRequest(f"flow_data[{kind}] is needed.", code="parameter_missing")
        sim.get("subscription", about["subscription"], f"flow_data[{kind}][subscription]")
    after = given.get("after_completion", {"type": "portal_homepage", "redirect": None})
    return {
        "type": kind,
        "after_completion": {**after, "hosted_confirmation": None},
        "subscription_cancel": None,
        "subscription_update": None,
        "subscription_update_confirm": None,
        **({kind: about} if about else {}),
    }
