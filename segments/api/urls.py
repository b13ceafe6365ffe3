"""Routes of segments."""

from rest_framework.routers import SimpleRouter

from .divisions import PartitionViewSet, SplitViewSet
from .segments import SegmentViewSet

router = SimpleRouter()
router.register("segments", SegmentViewSet, basename="segment")
router.register("partitions", PartitionViewSet, basename="partition")
router.register("splits", SplitViewSet, basename="split")
urlpatterns = router.urls
