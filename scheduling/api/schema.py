"""OpenAPI extensions for facts that a serializer cannot express."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction

from core.ops import private_names


class NoOtherDays(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]  # its metaclass
    target_class = "scheduling.api.serializers_of_hours.WeekChangeSerializer"

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        schema = private_names.describe_serializer(auto_schema, self.target, direction)
        return schema | {"additionalProperties": False}
