"""What operators fill in to act on accounts, keys and users."""

from __future__ import annotations

from django import forms
from django.urls import reverse

from accounts import sessions, viewing
from accounts.acts import ActForm, ReasonField
from accounts.audit import Actor
from accounts.key_rules import Reason
from accounts.models import Account, APIKey, User


class AccountForm(ActForm):
    acts_on = Account
    permission = "accounts.change_account"


class SuspendForm(AccountForm):
    title_of_page = "Suspend"
    explained = (
        "Every key of this account is refused with status 403 at once, and its owner and admins "
        "are told why by mail. What they pay goes on until their plan is ended."
    )
    button = "Suspend it"
    is_dangerous = True
    reason = ReasonField("Goes on record, and into the mail to the account.")

    @classmethod
    def applies_to(cls, row: Account) -> bool:
        return not (row.suspended_at or row.closed_at)

    def act(self, by: Actor) -> str:
        self.row.suspend(self.cleaned_data["reason"], by=by)
        return f"{self.row} is suspended."


class ReinstateForm(AccountForm):
    title_of_page = "Reinstate"
    explained = "Its keys work again as they did before, and its people are told."
    button = "Reinstate it"

    @classmethod
    def applies_to(cls, row: Account) -> bool:
        return bool(row.suspended_at)

    def act(self, by: Actor) -> str:
        self.row.reinstate(by=by)
        return f"{self.row} is served again."


class ViewAsForm(ActForm):
    acts_on = Account
    permission = "accounts.view_account"
    title_of_page = "View as its owner"
    explained = (
        "You see the pages of this account for half an hour, and can change nothing. Keys and what "
        "was captured of requests stay hidden. Its owner and admins are told, with your reason."
    )
    button = "Look at it"
    reason = ReasonField("Such as: asked for help in SR-1042.")

    @classmethod
    def applies_to(cls, row: Account) -> bool:
        return not row.closed_at

    @property
    def refusal(self) -> str:
        return "This account is closed." if self.row.closed_at else ""

    @property
    def afterwards(self) -> str:
        return reverse("dashboard:overview")

    def act(self, by: Actor) -> str:
        viewing.begin(self.request, self.row, self.cleaned_data["reason"])
        return ""


class KeyForm(ActForm):
    acts_on = APIKey
    permission = "accounts.change_apikey"


class RevokeForm(KeyForm):
    title_of_page = "Revoke"
    explained = (
        "It is refused for ever, in every process, at once. Programs that send it stop working; "
        "its account needs a new one."
    )
    button = "Revoke it"
    is_dangerous = True
    compromised = forms.BooleanField(
        required=False,
        label="Somebody else has it: cut off what runs with it, too",
    )

    @classmethod
    def applies_to(cls, row: APIKey) -> bool:
        return not row.revoked_at

    def act(self, by: Actor) -> str:
        reason = Reason.COMPROMISED if self.cleaned_data["compromised"] else Reason.OPERATOR
        if not self.row.revoke(by=by, reason=reason):
            return "It was revoked before."
        return f"{self.row} is revoked."


class SignOutForm(ActForm):
    acts_on = User
    permission = "accounts.change_user"
    title_of_page = "Sign out everywhere"
    explained = "Every session of this person ends at once. They can sign in again."
    button = "Sign them out"

    def act(self, by: Actor) -> str:
        ended = sessions.sign_out(self.row, by=by)
        return f"{self.row} is signed out of {ended} session{'' if ended == 1 else 's'}."
