"""The page of activities: the event stream, newest first."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from ..choices import ActivityType, Channel, Direction, Vocabulary
from ..filters import ActivityFilter
from ..models import CampaignRef
from ..queries import activities_visible_to
from .columns import activity_columns
from .lists import YES_NO, Facet, ListPage, list_context, of_enum, of_rows, of_terms, owners
from .seen import Seen

FACETS = [
    Facet("type", "What happened", of_enum(ActivityType), main=True),
    Facet("direction", "Direction", of_enum(Direction), main=True),
    Facet("channel", "Channel", of_enum(Channel), main=True),
    Facet("user", "By", owners),
    Facet("campaign", "Campaign", of_rows(lambda: CampaignRef.objects.order_by("name"))),
    Facet("topic", "Topic", of_terms(Vocabulary.TOPIC)),
    Facet("occurred_from", "From", type="date"),
    Facet("occurred_until", "Before", type="date"),
    Facet("bot_suspected", "Suspected as bot", lambda: YES_NO),
]


@login_required
@require_GET
def activity_list(request: HttpRequest) -> HttpResponse:
    """Show the activities the user sees, newest first."""
    queryset = activities_visible_to(request.user).select_related("contact", "account", "content", "campaign", "user")
    page = ListPage(
        columns=lambda rows: activity_columns(Seen(request.user, rows, with_contacts=True)),
        facets=FACETS,
        filters=ActivityFilter,
        ordering="-occurred_at",
        unit="activity",
        unit_plural="activities",
    )
    return render(request, "accounts/activity_list.html", list_context(request, queryset, page))
