"""A table of requests has the columns that its page chose, else the usual ones."""

from django import template
from django.template import Context

from dashboard.entries import Entry
from dashboard.log_columns import USUAL, Column

register = template.Library()


@register.simple_tag(takes_context=True)
def columns_wanted(context: Context) -> list[Column]:
    columns: list[Column] | None = context.get("columns")
    return USUAL if columns is None else columns


@register.filter
def cell(entry: Entry, column: Column) -> str:
    return column.text(entry) or "–"
