"""The v1 paths of webhooks."""

from django.urls import path

from webhooks.api import views

urlpatterns = [
    path("webhooks", views.Webhooks.as_view()),
    path("webhooks/<str:key>", views.OneWebhook.as_view()),
    path("webhooks/<str:key>/test", views.Test.as_view()),
    path("webhooks/<str:key>/rotate_secret", views.RotateSecret.as_view()),
    path("webhooks/<str:key>/recover", views.Recover.as_view()),
    path("webhooks/<str:key>/deliveries", views.Deliveries.as_view()),
    path("webhooks/<str:key>/deliveries/<str:delivery_key>/redeliver", views.Redeliver.as_view()),
]
