"""Columns of a person that answers of the API show."""

from rest_framework import serializers

from accounts.models import name_of
from core.api.reading import Derived


class NameField(Derived):
    """Name of a person, as others see it."""

    def __init__(self) -> None:
        columns = ("first_name", "last_name", "email", "deleted_at")
        super().__init__(name_of, *columns, like=serializers.CharField())
