from django.db import models

from config.crypto import EncryptedTextField


class KeyCanary(models.Model):
    """One encrypted row, by which `config.keys` knows whether the keys open this database."""

    ROW = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ROW, editable=False)
    content = EncryptedTextField(default="canary", editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="config_one_key_canary")
        ]

    def __str__(self) -> str:
        return "key canary"
