"""Helpers that call the staff pages."""

from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model
from django.test import Client


def url(model: type[Model], page: str = "", pk: Any = None) -> str:
    path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    return f"{path}{pk}/{page}" if pk else f"{path}{page}"


def act(staff: Client, action: str, row: Model) -> str:
    answer = staff.post(
        url(type(row)), {"action": action, ACTION_CHECKBOX_NAME: [row.pk]}, follow=True
    )
    return answer.content.decode()


def press(staff: Client, name: str, row: Model) -> str:
    """Press the action button on the row's own page and return the resulting page's HTML."""
    answer = staff.post(url(type(row), f"act/{name}/", row.pk), follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def listed(staff: Client, model: type[Model], **query: Any) -> list[Any]:
    return list(staff.get(url(model), query).context["cl"].result_list)
