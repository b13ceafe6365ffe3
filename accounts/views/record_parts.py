"""Parts of a record's page that are fetched after it: each is a small page of its own, or drawn with the whole page."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

WHOLE = "whole"
# Who chose something in the timeline by its address wants to see it, with scripts or without.
_TIMELINE_WORDS = ("kind", "contact", "before")


def draws_whole(request: HttpRequest) -> bool:
    """Tell whether the page is asked for with every part: the way for browsers without scripts."""
    return request.GET.get(WHOLE) == "1"


def draws_timeline(request: HttpRequest) -> bool:
    """Tell whether the page itself holds the timeline."""
    return draws_whole(request) or any(word in request.GET for word in _TIMELINE_WORDS)


def parts_context(request: HttpRequest, record: Any) -> dict[str, Any]:
    """Return what the places of the parts need: their addresses, and whether the page draws them itself (0 queries)."""
    kind = record._meta.model_name
    return {
        "whole": draws_whole(request),
        "whole_url": f"{reverse(f'accounts:{kind}_detail', args=[record.pk])}?{WHOLE}=1",
        "timeline_url": f"{reverse(f'accounts:{kind}_timeline', args=[record.pk])}?first=1",
        "around_url": reverse(f"accounts:{kind}_around", args=[record.pk]),
    }
