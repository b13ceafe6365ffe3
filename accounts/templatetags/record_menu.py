"""What a user may do with the record of a page."""

from typing import Any

from django import template
from django.urls import reverse

from segmentation_crm.common.access import can

from ..models import Account, Contact, Opportunity
from ..queries.duplicates import possible_duplicates

register = template.Library()


@register.simple_tag(takes_context=True)
def may(context: template.Context, capability: str) -> bool:
    """Tell whether the one who looks holds a capability; False where nobody is signed in."""
    request = context.get("request") or getattr(context, "request", None)
    return request is not None and can(request.user, capability)


@register.simple_tag(takes_context=True)
def record_menu(context: template.Context) -> dict[str, Any] | None:
    """Return what the menu of the page's record offers, with records that may be the same (≤ 3 queries)."""
    request = context.get("request") or getattr(context, "request", None)
    names = ("record", "account", "contact", "opportunity")
    record = next((context[name] for name in names if context.get(name)), None)
    if request is None or not isinstance(record, Account | Contact | Opportunity):
        return None
    kind = str(record._meta.model_name)
    merge_url = f"{reverse(f'accounts:{kind}_merge')}?a={record.pk}"
    return {
        "record": record,
        "changes_url": reverse(f"accounts:{kind}_changes", args=[record.pk]),
        "may_delete": can(request.user, "records.delete"),
        "merge_url": merge_url,
        "delete_url": reverse(f"accounts:{kind}_delete", args=[record.pk]),
        "deleted_url": f"{reverse('accounts:deleted_list')}?kind={kind}",
        "duplicates": [
            {"record": one, "reasons": reasons, "url": reverse(f"accounts:{kind}_detail", args=[one.pk])}
            for one, reasons in possible_duplicates(request.user, record)
        ],
    }
