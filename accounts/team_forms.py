"""What people fill in about the members of their account. A form offers only what may be given."""

from typing import Any

from django import forms

from accounts.models import Invitation, Membership
from accounts.roles import Role


class RoleField(forms.ChoiceField):
    """The roles that a member may give, which are offered once the form knows who asks."""

    def offer(self, roles: list[Role]) -> None:
        self.choices = [(role.value, role.label) for role in roles]


class InvitationForm(forms.Form):
    email = forms.EmailField(
        label="Email",
        max_length=Invitation._meta.get_field("email").max_length,
        help_text="They must sign in with this address, or sign up with it.",
        widget=forms.EmailInput(attrs={"autocomplete": "off", "placeholder": "ada@example.com"}),
    )
    role = RoleField(initial=Role.DEVELOPER)

    def __init__(self, inviter: Membership, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["role"]
        assert isinstance(field, RoleField)
        field.offer(inviter.grantable)

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        return email


class RoleForm(forms.Form):
    role = RoleField()

    def __init__(self, giver: Membership, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["role"]
        assert isinstance(field, RoleField)
        field.offer(giver.grantable)


class HeirChoice(forms.ModelChoiceField):  # type: ignore[type-arg]  # in the stubs only
    def label_from_instance(self, membership: Membership) -> str:
        return f"{membership.user.email} ({membership.role})"


class TransferForm(forms.Form):
    """Who is to own the account: one of its other members."""

    heir = HeirChoice(Membership.objects.none(), label="New owner", empty_label="Choose a member")

    def __init__(self, owner: Membership, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["heir"]
        assert isinstance(field, HeirChoice)
        others = owner.account.memberships.select_related("user")
        field.queryset = others.exclude(pk=owner.pk)
