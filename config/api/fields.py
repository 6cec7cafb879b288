"""Fields that take a value of their own JSON type only: no "5" for 5, no 5 for "5"."""

import re
from typing import Any

from rest_framework import serializers


class StrictIntegerField(serializers.IntegerField):
    """A whole number; not a text, not `true`, not 5.0."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictCharField(serializers.CharField):
    """A text; not a number. NUL characters are refused, as DRF's field does."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class QueryIntegerField(serializers.IntegerField):
    """A whole number in a query: ASCII digits, where int() would take ` 1_0 ` too."""

    def to_internal_value(self, data: Any) -> int:
        if not re.fullmatch(r"-?[0-9]+", str(data)):
            self.fail("invalid")
        return super().to_internal_value(data)
