"""Filters of the list of meetings, in addition to its tab."""

from django_filters import FilterSet

from core.api.filters import UpdatedAfterFilter


class MeetingFilters(FilterSet):
    """Filters within one tab."""

    updated_after = UpdatedAfterFilter()
