"""Routes of the shared nouns."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from .exports import ExportViewSet
from .jobs import JobViewSet
from .notifications import NotificationViewSet
from .organisation import OrganisationViewSet
from .people import TeamViewSet, UserViewSet
from .saved_views import SavedViewViewSet

router = SimpleRouter()
router.register("jobs", JobViewSet, basename="api-job")
router.register("exports", ExportViewSet, basename="api-export")
router.register("users", UserViewSet, basename="api-user")
router.register("teams", TeamViewSet, basename="api-team")
router.register("saved_views", SavedViewViewSet, basename="api-saved-view")

router.register("notifications", NotificationViewSet, basename="api-notification")

organisation = OrganisationViewSet.as_view({"get": "retrieve", "patch": "partial_update"})
urlpatterns = [path("organisation/", organisation, name="api-organisation"), *router.urls]
