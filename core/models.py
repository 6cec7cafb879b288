"""Tables of the ground floor: the key canary and the answers to idempotency keys."""

from django.conf import settings
from django.db import models

from core.db.crypto import EncryptedTextField


class KeyCanary(models.Model):
    """One encrypted row, by which `core.db.keys` knows whether the keys open this database."""

    ROW = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ROW, editable=False)
    content = EncryptedTextField(default="canary", editable=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_key_canary")]

    def __str__(self) -> str:
        return "key canary"


class IdempotencyRecord(models.Model):
    """The first answer to a request that carried an Idempotency-Key, kept to be given again.

    `topic` is the caller's name for what it is about, by which it is forgotten: then it is empty.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=200)
    key = models.CharField(max_length=255)
    body_digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    answer = EncryptedTextField(default="")
    topic = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "method", "path", "key"], name="idempotency_once"
            )
        ]
        indexes = [
            models.Index(fields=["topic"], name="idempotency_topic"),
            models.Index(fields=["created_at"], name="idempotency_age"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"
