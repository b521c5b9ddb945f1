"""What operators can switch off, and what people read instead. Everything is on unless they did.

Who switches, and why, is in ``dashboard/switches.py``; here is what every app may ask.
"""

from dataclasses import dataclass

from accounts.posted import Posted

OFF: Posted[dict[str, str]] = Posted("features:off", {})  # by name, the operators' own words


@dataclass(frozen=True, slots=True)
class Feature:
    """``stops`` tells operators what goes and what stays; ``said`` is for whoever is refused."""

    name: str
    title: str
    stops: str
    said: str

    def __str__(self) -> str:
        return self.title

    @property
    def is_off(self) -> bool:
        return self.name in OFF.read()

    @property
    def sentence(self) -> str:
        """What to say to whoever is refused: the operators' words, else ours."""
        return OFF.read().get(self.name) or self.said


SIGNUP = Feature(
    "signup",
    "Sign-up",
    "Nobody new comes in, also not by invitation. Whoever has signed up signs in as ever.",
    "Sign-up is closed for now. Whoever has an account signs in as ever.",
)
PLAYGROUND = Feature(
    "playground",
    "Playground",
    "The playground asks no model. Keys are not touched.",
    "The playground is switched off for now. Calls with an API key go on.",
)
CHECKOUT = Feature(
    "checkout",
    "Buying plans",
    "No plan is bought and none is upgraded. Renewals, invoices, smaller plans and cancelling go "
    "on; whoever is on Stripe's page already can still pay.",
    "Plans cannot be bought for now. The plan of this account goes on as it is.",
)
CAPTURE = Feature(
    "capture",
    "Payload capture",
    "No request or answer is kept, whatever keys say, and no key can be told to. What was kept "
    "before stays until its day.",
    "Capture is switched off for now: nothing is kept, whatever a key says.",
)
PAGES = Feature(
    "pages",
    "Pages of members",
    "Whatever needs a sign-in answers 503. The API, sign-in, status, docs and these pages go on.",
    "We are at work on these pages. Calls to the API go on as ever.",
)
FEATURES = {one.name: one for one in (SIGNUP, PLAYGROUND, CHECKOUT, CAPTURE, PAGES)}


def switched_off() -> dict[str, str]:
    """What is off, by name, with what to say about it."""
    return {name: one.sentence for name, one in FEATURES.items() if one.is_off}
