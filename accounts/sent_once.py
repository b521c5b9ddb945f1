"""A form that makes something is good for one thing: sent again by a reload, it makes no other."""

import secrets

from django import forms
from django.core.cache import cache
from redis import RedisError

REMEMBERED = 24 * 3600  # seconds


class SentOnce(forms.Form):
    """A form with a mark by which it is known again. Without one it is always new."""

    mark = forms.SlugField(
        required=False,
        max_length=40,
        initial=lambda: secrets.token_urlsafe(16),
        widget=forms.HiddenInput,
    )

    def is_new(self, user_pk: int) -> bool:
        """Whether it is sent for the first time; from then on it is not. Only of a valid form.

        While Redis is away every form is new.
        """
        mark = self.cleaned_data["mark"]
        try:
            return not mark or bool(cache.add(f"sent:{user_pk}:{mark}", 1, REMEMBERED))
        except RedisError:
            return True
