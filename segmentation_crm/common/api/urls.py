"""Routes of the shared nouns."""

from rest_framework.routers import SimpleRouter

from .jobs import JobViewSet
from .people import TeamViewSet, UserViewSet
from .saved_views import SavedViewViewSet

router = SimpleRouter()
router.register("jobs", JobViewSet, basename="api-job")
router.register("users", UserViewSet, basename="api-user")
router.register("teams", TeamViewSet, basename="api-team")
router.register("saved_views", SavedViewViewSet, basename="api-saved-view")

urlpatterns = router.urls
