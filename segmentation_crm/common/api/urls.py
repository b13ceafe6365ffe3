"""Routes of the shared nouns."""

from rest_framework.routers import SimpleRouter

router = SimpleRouter()

urlpatterns = router.urls
