"""Serializers of people, teams and devices."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import empty

from accounts.api import examples
from accounts.domain import leaks, pictures
from accounts.domain.readings import NameField
from accounts.models import Membership, User
from core.api.fields import LineField, StrictCharField, StrictIntegerField, StrictModelSerializer
from core.api.reading import Derived
from core.api.schema import example
from core.db.crypto import opened
from core.text.zones import iana_name, validate_zone
from notifications.models import PushDevice

_SHOWN_OF_TOKEN = 8


@extend_schema_field({"type": "string", "format": "timezone", "example": "America/New_York"})
class ZoneField(StrictCharField):
    """A name of the IANA database, or an offset such as `GMT+2`, which is two hours ahead of UTC.

    If the field is optional, an empty text counts as no value.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(
            max_length=64, trim_whitespace=False, validators=[validate_zone], **options
        )

    def run_validation(self, data: Any = empty) -> Any:
        return super().run_validation(empty if data == "" and not self.required else data)

    def to_internal_value(self, data: Any) -> str:
        return iana_name(str(super().to_internal_value(data)))


class LocaleSerializer(serializers.Serializer[User]):
    date_format = serializers.CharField()
    time_format = serializers.CharField()
    week_start = serializers.IntegerField(help_text="1 is Monday, 7 is Sunday (ISO 8601).")


@example(examples.PROFILE)
class ProfileSerializer(serializers.Serializer[User]):
    uuid = serializers.CharField()
    id = serializers.IntegerField()
    email = serializers.EmailField()
    name = serializers.CharField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    avatar_url = serializers.SerializerMethodField(help_text="The picture, or null.")
    timezone = serializers.CharField(help_text="A name of the IANA database.")
    position = serializers.CharField()
    company = serializers.CharField()
    locale = LocaleSerializer(source="*")
    status = serializers.ChoiceField(["active", "inactive"])
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    uri = serializers.SerializerMethodField()

    def get_avatar_url(self, user: User) -> str | None:
        return pictures.url_of(user) or user.avatar_url or None

    def get_uri(self, _user: User) -> str:
        return "/api/v1/users/me"


@example(examples.PROFILE_CHANGE)
class ProfileChangeSerializer(StrictModelSerializer):
    """Changes to your profile. A field that you leave out keeps its value."""

    timezone = ZoneField(required=False)
    week_start = StrictIntegerField(
        min_value=1, max_value=7, required=False, help_text="1 is Monday, 7 is Sunday."
    )

    class Meta:
        model = User
        fields = (
            "first_name",
            "last_name",
            "timezone",
            "position",
            "company",
            "date_format",
            "time_format",
            "week_start",
        )


@example(examples.TEAM)
class TeamSerializer(serializers.Serializer[Membership]):
    """A team, as one of its members sees it."""

    id = serializers.IntegerField(source="team.id")
    name = serializers.CharField(source="team.name")
    role = serializers.ChoiceField(Membership.Role.choices, help_text="What you are in it.")


@example(examples.MEMBER)
class MemberSerializer(serializers.Serializer[User]):
    id = serializers.IntegerField()
    name = NameField()
    timezone = serializers.CharField()


@example(examples.DEVICE)
class DeviceSerializer(serializers.Serializer[PushDevice]):
    id = serializers.IntegerField()
    platform = serializers.ChoiceField(PushDevice.Platform.choices)
    name = serializers.CharField()
    token = Derived(
        lambda token: f"{opened(token)[:_SHOWN_OF_TOKEN]}...",
        "token",
        like=serializers.CharField(),
        help_text="How the registration token begins.",
    )
    is_active = serializers.BooleanField()
    created_at = serializers.DateTimeField()


@example(examples.NEW_DEVICE)
class NewDeviceSerializer(serializers.Serializer[Any]):
    token = StrictCharField(max_length=512, help_text="Firebase's registration token.")
    platform = serializers.ChoiceField(
        PushDevice.Platform.choices,
        error_messages={"invalid_choice": "Use android, ios or web."},
    )
    name = LineField(max_length=120, allow_blank=True, default="")


class DeletedSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()


@extend_schema_field({"type": "string", "pattern": f"^{leaks.PATTERN}$"})
class TokenField(StrictCharField):
    """A text with the form of a Parley token."""

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if not leaks.is_token(text):
            raise serializers.ValidationError("This is no token of Parley's.")
        return text


@example(examples.LEAKED_TOKEN)
class LeakedTokenSerializer(serializers.Serializer[Any]):
    token = TokenField(trim_whitespace=False, max_length=50)
