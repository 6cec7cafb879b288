"""Functions that prepare data in the project with django-appointment (see `benchmarks.inside`)."""

from datetime import time, timedelta
from typing import Any

from appointment.models import Service, StaffMember, WorkingHours
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client


def fill(count: int) -> list[dict[str, Any]]:
    """Migrate, and make so many services of 30 minutes. Return each with a signed-in client.

    Each service has a staff member of its own, who works from 9:00 to 17:00 every day.
    """
    call_command("migrate", verbosity=0)
    call_command("migrate", run_syncdb=True, verbosity=0)  # its tables: it comes without migrations
    return [_offered(number) for number in range(count)]


def _offered(number: int) -> dict[str, Any]:
    service = Service.objects.create(
        name="30 Minute Meeting", duration=timedelta(minutes=30), price=0
    )
    staff = StaffMember.objects.create(user=_user(f"staff{number}"))
    staff.services_offered.add(service)
    WorkingHours.objects.bulk_create(
        WorkingHours(staff_member=staff, day_of_week=day, start_time=time(9), end_time=time(17))
        for day in range(7)
    )
    browser = Client()
    browser.force_login(_user(f"client{number}"))
    cookies = {name: morsel.value for name, morsel in browser.cookies.items()}
    return {"service": service.pk, "staff": staff.pk, "cookies": cookies}


def _user(name: str) -> User:
    return User.objects.create_user(name, f"{name}@example.com", first_name="John", last_name="Doe")
