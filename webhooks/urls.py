"""Settings of webhooks."""

from django.urls import path

from webhooks.pages.one import recover, redeliver, test, webhook
from webhooks.pages.settings import delete, edit, new_webhook, rotate, secret, webhooks

app_name = "webhooks"
urlpatterns = [
    path("settings/webhooks", webhooks, name="webhooks"),
    path("settings/webhooks/new", new_webhook, name="new_webhook"),
    path("settings/webhooks/<int:webhook_id>", webhook, name="webhook"),
    path("settings/webhooks/<int:webhook_id>/edit", edit, name="edit"),
    path("settings/webhooks/<int:webhook_id>/secret", secret, name="secret"),
    path("settings/webhooks/<int:webhook_id>/rotate", rotate, name="rotate"),
    path("settings/webhooks/<int:webhook_id>/delete", delete, name="delete"),
    path("settings/webhooks/<int:webhook_id>/test", test, name="test"),
    path("settings/webhooks/<int:webhook_id>/recover", recover, name="recover"),
    path(
        "settings/webhooks/<int:webhook_id>/deliveries/<int:delivery_id>/redeliver",
        redeliver,
        name="redeliver",
    ),
]
