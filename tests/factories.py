"""Rows for tests, made as the product makes them."""

from typing import Any

from django.test import Client

from accounts import scopes, services
from accounts.models import Membership, Team, User

PASSWORD = "correct-horse-battery"


def user(name: str, **fields: Any) -> User:
    return User.objects.create_user(
        f"{name}@example.com", PASSWORD, **{"username": name, "timezone": "UTC", **fields}
    )


def team(name: str, owner: User, *members: User) -> Team:
    made = Team.objects.create(name=name)
    Membership.objects.create(team=made, user=owner, role=Membership.Role.OWNER)
    for member in members:
        Membership.objects.create(team=made, user=member)
    return made


def token(owner: User, *wanted: str) -> str:
    """A bearer token with these scopes, or with all of them."""
    _row, text = services.create_token(user=owner, name="test", scopes=wanted or scopes.SCOPES)
    return text


def client(owner: User, *wanted: str) -> Client:
    """A client of the API that bears such a token."""
    return Client(headers={"Authorization": f"Bearer {token(owner, *wanted)}"})
