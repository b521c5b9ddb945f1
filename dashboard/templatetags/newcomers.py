"""What somebody who is about to open an account should know."""

from django import template

from dashboard import signup

register = template.Library()
register.simple_tag(signup.what_begins)
