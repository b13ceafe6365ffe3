"""Routes of segments."""

from rest_framework.routers import SimpleRouter

from .segments import SegmentViewSet

router = SimpleRouter()
router.register("segments", SegmentViewSet, basename="segment")
urlpatterns = router.urls
