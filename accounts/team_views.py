"""The Team page: who belongs to the account, as what, and who is invited."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.audit import Actor
from accounts.guards import members_who_may
from accounts.middleware import AccountRequest
from accounts.reauthentication import freshly_confirmed
from accounts.roles import SUMMARIES, TABLE, Right
from accounts.team_forms import InvitationForm, RoleForm, TransferForm

PAGE_OR_POST = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@members_who_may(Right.SEE)
def team(request: AccountRequest) -> HttpResponse:
    return _render_team(request, InvitationForm(request.membership))


@PAGE_OR_POST
@members_who_may(Right.MANAGE_MEMBERS)
def invitation_create(request: AccountRequest) -> HttpResponse:
    if request.method != "POST":
        return redirect("accounts:team")
    form = InvitationForm(request.membership, request.POST)
    if form.is_valid():
        try:
            invitation = request.account.invitations.invite(
                **form.cleaned_data, inviter=request.membership, by=Actor.of(request)
            )
        except ValidationError as error:
            form.add_error("email", error)
        else:
            messages.success(request, f"An invitation is on its way to {invitation.email}.")
            return redirect("accounts:team")
    return _render_team(request, form, status=422)


@require_POST
@members_who_may(Right.MANAGE_MEMBERS)
def invitation_resend(request: AccountRequest, pk: int) -> HttpResponse:
    invitation = get_object_or_404(_waiting(request), pk=pk)
    if invitation.resend(by=Actor.of(request)):
        messages.success(request, f"A new link is on its way to {invitation.email}.")
    else:
        messages.warning(request, "One was sent a moment ago. Wait a minute before the next.")
    return redirect("accounts:team")


@require_POST
@members_who_may(Right.MANAGE_MEMBERS)
def invitation_withdraw(request: AccountRequest, pk: int) -> HttpResponse:
    invitation = get_object_or_404(_waiting(request), pk=pk)
    invitation.withdraw(by=Actor.of(request))
    messages.success(request, f"The invitation of {invitation.email} is void.")
    return redirect("accounts:team")


@PAGE_OR_POST
@members_who_may(Right.MANAGE_MEMBERS)
def member_change(request: AccountRequest, pk: int) -> HttpResponse:
    member = get_object_or_404(request.account.memberships.select_related("user"), pk=pk)
    sent = request.POST if request.method == "POST" else None
    form = RoleForm(request.membership, sent, initial={"role": member.role})
    if form.is_valid():
        role = form.cleaned_data["role"]
        member.change_role(role, giver=request.membership, by=Actor.of(request))
        messages.success(request, f"{member.user.email} is {role} now.")
        return redirect("accounts:team")
    context = {"member": member, "form": form, "roles": SUMMARIES.items()}
    return render(request, "team/member.html", context, status=422 if form.is_bound else 200)


@PAGE_OR_POST
@members_who_may(Right.MANAGE_MEMBERS)
def member_remove(request: AccountRequest, pk: int) -> HttpResponse:
    member = get_object_or_404(request.account.memberships.select_related("user"), pk=pk)
    if request.method == "POST":
        member.remove(remover=request.membership, by=Actor.of(request))
        messages.success(request, f"{member.user.email} does not belong to this account any more.")
        return redirect("accounts:team")
    return render(request, "team/remove.html", {"member": member})


@PAGE_OR_POST
@members_who_may(Right.SEE)
def leave(request: AccountRequest) -> HttpResponse:
    if request.method == "POST":
        request.membership.leave(by=Actor.of(request))
        messages.success(request, f"You have left “{request.account}”.")
        return redirect("accounts:profile")
    return render(request, "team/leave.html")


@PAGE_OR_POST
@members_who_may(Right.OWN)
@freshly_confirmed
def transfer(request: AccountRequest) -> HttpResponse:
    form = TransferForm(request.membership, request.POST if request.method == "POST" else None)
    if form.is_valid():
        heir = form.cleaned_data["heir"]
        request.membership.hand_over(heir, by=Actor.of(request))
        messages.success(request, f"{heir.user.email} owns “{request.account}” now.")
        return redirect("accounts:team")
    status = 422 if form.is_bound else 200
    return render(request, "team/transfer.html", {"form": form}, status=status)


def _waiting(request: AccountRequest):  # type: ignore[no-untyped-def]
    return request.account.invitations.filter(accepted_at=None, withdrawn_at=None)


def _render_team(
    request: AccountRequest, form: InvitationForm, *, status: int = 200
) -> HttpResponse:
    members = [
        (member, request.membership.may_change(member))
        for member in request.account.memberships.select_related("user")
    ]
    context = {
        "form": form,
        "members": members,
        "invitations": _waiting(request).select_related("invited_by"),
        "rights": TABLE,
        "roles": SUMMARIES.items(),
    }
    return render(request, "team/team.html", context, status=status)
