"""What a member keeps for the Logs page: filters with a name, and the columns they want."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from accounts.middleware import AccountRequest
from dashboard.log_columns import named
from dashboard.log_filters import shortest
from dashboard.members import act_in_an_account
from dashboard.models import LogColumns, SavedFilter


class SavedFilterForm(forms.Form):
    name = forms.CharField(max_length=60)
    query = forms.CharField(max_length=2000)


@act_in_an_account
def filter_save(request: AccountRequest) -> HttpResponse:
    """Keep the filters of the page under a name; a name that is there already gets them."""
    form, query = SavedFilterForm(request.POST), shortest(request.POST.get("query", ""))
    mine = request.membership.saved_filters
    if not form.is_valid() or not query:
        messages.error(request, "To save a filter, choose what to show and give it a short name.")
    elif mine.count() >= SavedFilter.MOST:
        messages.error(request, f"You have {SavedFilter.MOST} saved filters; delete one first.")
    else:
        name = form.cleaned_data["name"]
        mine.update_or_create(name=name, defaults={"query": query})
        messages.success(request, f"“{name}” is saved.")
    return back(query)


@act_in_an_account
def filter_delete(request: AccountRequest, pk: int) -> HttpResponse:
    saved = get_object_or_404(request.membership.saved_filters, pk=pk)
    saved.delete()
    messages.success(request, f"“{saved}” is deleted.")
    return back(request.POST.get("query", ""))


@act_in_an_account
def columns_choose(request: AccountRequest) -> HttpResponse:
    """Show just these from now on; none at all means the usual ones."""
    if chosen := named(request.POST.getlist("column")):
        names = [column.name for column in chosen]
        LogColumns.objects.update_or_create(user=request.user, defaults={"names": names})
    else:
        LogColumns.objects.filter(user=request.user).delete()
    return back(request.POST.get("query", ""))


def back(query: str) -> HttpResponse:
    """To the list as it was filtered."""
    return redirect(f"{reverse('dashboard:logs')}?{shortest(query)}".rstrip("?"))
