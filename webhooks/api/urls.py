"""The v1 paths of webhooks."""

from rest_framework.routers import SimpleRouter

from webhooks.api import viewsets

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("webhooks", viewsets.WebhookViewSet, "webhook")

urlpatterns = router.urls
