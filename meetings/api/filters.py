"""What a list of meetings can be narrowed to, beside its tab."""

from django_filters import FilterSet

from core.api.filters import UpdatedAfterFilter


class MeetingFilters(FilterSet):
    """Filters within one tab."""

    updated_after = UpdatedAfterFilter()
