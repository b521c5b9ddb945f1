"""Admin pages that show rows. What changes a row is a verb of its model, offered as an action."""

from django.http import HttpRequest


class ViewOnly:
    """Laid over a ModelAdmin: nothing is added, edited or deleted by hand."""

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: object = None) -> list[str]:
        model = self.model  # type: ignore[attr-defined]
        hidden = getattr(self, "exclude", None) or ()
        return [field.name for field in model._meta.fields if field.name not in hidden]
