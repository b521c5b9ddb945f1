"""How the API takes what it is asked: keys, parameters, pages, expansion, and asking twice."""

import httpx
import pytest
import stripe

from tests.billing.shop import MONTHLY, PRO, YEARLY, Shop
from tests.billing.stripe_server import BEGINNING, KEY, StripeServer


def test_only_the_key_of_the_simulation_opens_it(stripe_server: StripeServer) -> None:
    stranger = stripe_server.client_with("sk_test_of_somebody_else")

    with pytest.raises(stripe.AuthenticationError) as refused:
        stranger.v1.customers.list()

    assert refused.value.http_status == 401
    assert refused.value.error
    assert refused.value.error.type == "invalid_request_error"
    assert "sk_test_of_somebody_else" not in str(refused.value)


def test_another_version_of_the_api_is_refused_and_not_guessed(stripe_server: StripeServer) -> None:
    headers = {"Authorization": f"Bearer {KEY}", "Stripe-Version": "2024-06-20"}

    answer = httpx.get(f"{stripe_server.url}/v1/prices", headers=headers)

    assert answer.status_code == 400
    assert stripe.api_version in answer.json()["error"]["message"]


def test_what_is_not_there_is_missing_in_stripe_s_words(stripe_server: StripeServer) -> None:
    with pytest.raises(stripe.InvalidRequestError) as missing:
        stripe_server.client.v1.subscriptions.retrieve("sub_none")

    assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")
    assert missing.value.param == "id"


def test_a_parameter_that_would_change_nothing_is_refused(stripe_server: StripeServer) -> None:
    customers = stripe_server.client.v1.customers

    with pytest.raises(stripe.InvalidRequestError) as unknown:
        customers.create({"tax": {"ip_address": "192.0.2.1"}})

    assert (unknown.value.http_status, unknown.value.code) == (400, "parameter_unknown")
    assert unknown.value.param == "tax"
    assert customers.list().data == []


@pytest.mark.parametrize(
    ("params", "param", "code"),
    [
        ({"name": ""}, "name", "parameter_missing"),
        ({"name": "A", "active": "perhaps"}, "active", None),
        ({"name": {"a": "b"}}, "name", None),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_by_name(
    stripe_server: StripeServer, params: dict[str, object], param: str, code: str | None
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        stripe_server.client.v1.products.create(params)  # type: ignore[arg-type]

    assert (refused.value.param, refused.value.code) == (param, code)


def test_a_call_that_keyplex_never_makes_is_not_there(stripe_server: StripeServer) -> None:
    with pytest.raises(stripe.InvalidRequestError) as missing:
        stripe_server.client.v1.coupons.list()

    assert missing.value.http_status == 404


def test_asking_twice_under_one_key_does_it_once(stripe_server: StripeServer) -> None:
    customers = stripe_server.client.v1.customers
    once = customers.create({"email": "a@example.org"}, {"idempotency_key": "k1"})

    again = customers.create({"email": "a@example.org"}, {"idempotency_key": "k1"})
    other = customers.create({"email": "a@example.org"}, {"idempotency_key": "k2"})

    assert again.id == once.id != other.id
    assert again.last_response
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert len(customers.list().data) == 2


def test_one_key_is_not_for_two_questions(stripe_server: StripeServer) -> None:
    customers = stripe_server.client.v1.customers
    customers.create({"email": "a@example.org"}, {"idempotency_key": "k1"})

    with pytest.raises(stripe.IdempotencyError) as refused:
        customers.create({"email": "b@example.org"}, {"idempotency_key": "k1"})

    assert refused.value.http_status == 400
    assert refused.value.error
    assert refused.value.error.type == "idempotency_error"


def test_a_key_whose_question_was_refused_is_free_again(stripe_server: StripeServer) -> None:
    products = stripe_server.client.v1.products
    with pytest.raises(stripe.InvalidRequestError):
        products.create({"name": ""}, {"idempotency_key": "k1"})

    product = products.create({"name": "Monthly"}, {"idempotency_key": "k1"})

    assert product.name == "Monthly"


def test_a_refused_card_is_told_twice_and_tried_once(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.server.control("card", customer=subscription.customer, outcome="card_declined")
    shop.server.advance(days=32)
    invoice = str(shop.subscription(subscription.id).latest_invoice)

    for _ in range(2):
        with pytest.raises(stripe.CardError):
            shop.client.v1.invoices.pay(invoice, {}, {"idempotency_key": "k1"})

    assert shop.client.v1.invoices.retrieve(invoice).attempt_count == 2


def test_a_list_comes_in_pages_the_newest_first(stripe_server: StripeServer) -> None:
    customers = stripe_server.client.v1.customers
    made = [customers.create({"name": str(number)}).id for number in range(7)]

    first = customers.list({"limit": 3})
    second = customers.list({"limit": 3, "starting_after": first.data[-1].id})
    back = customers.list({"limit": 2, "ending_before": second.data[-1].id})

    everyone = [one.id for one in customers.list({"limit": 2}).auto_paging_iter()]
    assert [one.id for one in first.data] == made[:3:-1]
    assert (first.has_more, second.has_more, back.has_more) == (True, True, True)
    assert [one.id for one in back.data] == [second.data[0].id, second.data[1].id]
    assert everyone == made[::-1]
    with pytest.raises(stripe.InvalidRequestError):
        customers.list({"limit": 101})


def test_prices_are_found_by_the_names_that_we_gave_them(shop: Shop) -> None:
    found = shop.client.v1.prices.list({"lookup_keys": [MONTHLY, YEARLY], "active": True})

    assert {one.lookup_key for one in found} == {MONTHLY, YEARLY}
    [yearly] = [one.recurring for one in found if one.lookup_key == YEARLY]
    assert yearly
    assert yearly.interval_count == 12


def test_a_lookup_key_moves_to_another_price_only_if_it_is_told_to(shop: Shop) -> None:
    old = shop.prices[MONTHLY]
    params = {
        "product": str(old.product),
        "currency": "usd",
        "unit_amount": 2500,
        "recurring": {"interval": "month"},
        "lookup_key": MONTHLY,
    }

    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.prices.create(params)  # type: ignore[arg-type]
    new = shop.client.v1.prices.create({**params, "transfer_lookup_key": True})  # type: ignore[typeddict-item]

    assert new.lookup_key == MONTHLY
    assert shop.client.v1.prices.retrieve(old.id).lookup_key is None


def test_ids_become_objects_where_that_is_asked_for(shop: Shop) -> None:
    subscription = shop.subscribe()

    expanded = shop.client.v1.subscriptions.retrieve(
        subscription.id,
        {"expand": ["customer", "latest_invoice.payments.data.payment.payment_intent"]},
    )
    listed = shop.client.v1.subscriptions.list({"expand": ["data.latest_invoice"]})
    session = shop.client.v1.checkout.sessions.list(
        {"subscription": subscription.id, "expand": ["data.line_items"]}
    )

    assert isinstance(expanded.customer, stripe.Customer)
    assert isinstance(expanded.latest_invoice, stripe.Invoice)
    assert expanded.latest_invoice.payments
    [payment] = expanded.latest_invoice.payments.data
    assert isinstance(payment.payment.payment_intent, stripe.PaymentIntent)
    assert payment.payment.payment_intent.amount_received == 2000
    assert isinstance(listed.data[0].latest_invoice, stripe.Invoice)
    assert session.data[0].line_items
    assert session.data[0].line_items.data[0].price
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.subscriptions.retrieve(subscription.id, {"expand": ["status"]})


def test_metadata_is_merged_and_an_empty_value_takes_a_name_away(
    stripe_server: StripeServer,
) -> None:
    customers = stripe_server.client.v1.customers
    customer = customers.create({"metadata": {"account": "1", "_plan": "2"}})

    merged = customers.update(customer.id, {"metadata": {"account": "", "note": "3"}})

    assert merged.metadata
    assert merged.metadata.to_dict() == {"_plan": "2", "note": "3"}
    emptied = customers.update(customer.id, {"metadata": ""}).metadata
    assert emptied is not None
    assert emptied.to_dict() == {}


def test_events_can_be_asked_for_during_30_days(shop: Shop) -> None:
    shop.customer()
    events = shop.client.v1.events
    [created] = events.list({"type": "customer.created"}).data
    recent = events.list({"created": {"gte": BEGINNING}, "limit": 100}).data

    shop.server.advance(days=31)

    assert created.data.object["email"] == "alice@example.org"
    assert created.api_version == stripe.api_version
    assert len(recent) == 9
    assert events.list().data == []
    with pytest.raises(stripe.InvalidRequestError):
        events.retrieve(created.id)


def test_the_events_of_a_request_name_it(stripe_server: StripeServer) -> None:
    customers = stripe_server.client.v1.customers

    customer = customers.create({"name": "A"}, {"idempotency_key": "k1"})

    [event] = stripe_server.client.v1.events.list().data
    assert event.request
    assert customer.last_response
    assert event.request.id == customer.last_response.request_id
    assert event.request.idempotency_key == "k1"


def test_a_subscription_on_a_price_that_was_withdrawn_is_refused(shop: Shop) -> None:
    shop.client.v1.prices.update(shop.prices[PRO].id, {"active": False})

    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.offer(plan=PRO)

    assert refused.value.param == "line_items[0][price]"


def test_a_checkout_is_open_for_a_day_or_until_it_is_taken_back(shop: Shop) -> None:
    taken_back, late = shop.offer(), shop.offer()

    expired = shop.client.v1.checkout.sessions.expire(taken_back.id)
    shop.server.advance(days=1)

    assert (expired.status, expired.url) == ("expired", None)
    assert shop.client.v1.checkout.sessions.retrieve(late.id).status == "expired"
    assert shop.server.types().count("checkout.session.expired") == 2
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.checkout.sessions.expire(late.id)


def test_a_proration_is_counted_from_within_the_period(shop: Shop) -> None:
    subscription = shop.subscribe()
    change = {"items": shop.change(subscription, PRO), "proration_date": BEGINNING - 1}

    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.client.v1.subscriptions.update(subscription.id, change)  # type: ignore[arg-type]

    assert refused.value.param == "proration_date"


def test_a_browser_is_sent_to_addresses_of_the_web_only(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.offer(success_url="javascript:alert(1)")
    with pytest.raises(stripe.InvalidRequestError):
        shop.offer(success_url="https://keyplex.example/\r\nSet-Cookie: a=b")

    assert refused.value.code == "url_invalid"
