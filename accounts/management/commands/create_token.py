from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.domain import services
from accounts.models import User, scopes
from core.db import keys
from core.errors import DomainError


class Command(BaseCommand):
    help = "Print a new API token of a person, and nothing else, on stdout."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", required=True, help="what the token is for")
        parser.add_argument("--scopes", default="", help="a,b,c; all of them where none are named")

    def handle(self, *, email: str, name: str, **options: Any) -> None:
        keys.refuse_wrong()
        user = User.objects.filter(email=email.strip().lower()).first()
        if user is None:
            raise CommandError(f"There is nobody with the address {email}.")
        wanted = [scope.strip() for scope in options["scopes"].split(",") if scope.strip()]
        try:
            _row, token = services.create_token(
                user=user, name=name, scopes=wanted or list(scopes.SCOPES), is_limited=False
            )
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(token)
