"""Event type pages: the list, the form, and the actions on each event type."""

import re
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from scheduling.domain import services
from scheduling.models import EventType
from scheduling.rules.custom_fields import CustomField
from tests import factories
from tests.pages import UNSEEN, Answer, everything, main, words
from tests.scheduling.conftest import Book

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

LIST = "/event-types"
NEW = "/event-types/new"
ADDRESS = f"{settings.PUBLIC_URL}/alice"
TOPIC: CustomField = {
    "name": "topic",
    "label": "Topic?",
    "type": "text",
    "required": True,
    "options": [],
}
SIZE: CustomField = {
    "name": "size",
    "label": "Size",
    "type": "select",
    "required": False,
    "options": ["S", "M, L"],
}


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def page_of(event_type: EventType) -> str:
    return f"{LIST}/{event_type.pk}"


def typed(**other: Any) -> dict[str, Any]:
    """Return the fields of the form for a new event type, with some values replaced."""
    fields: dict[str, Any] = {
        "act": "save",
        "name": "Intro call",
        "slug": "",
        "description": "",
        "color": "#4f46e5",
        "duration": "30",
        "location": "zoom_meeting",
        "location_custom": "",
        "location_link": "",
        "link_later": "on",
        "buffer_time_before": "0",
        "buffer_time_after": "0",
        "min_advance_booking": "0",
        "max_advance_booking": "60",
        "available_days": ["1", "2", "3", "4", "5"],
        "slot_interval": "",
        "daily_limit": "",
        "weekly_limit": "",
        "cancellation_notice": "0",
        "reminders": ["15", "60"],
        "price": "",
        "currency": "USD",
        "payment_method": "",
        "redirect_url": "",
    }
    return fields | other


def asked(*questions: CustomField, keys: str = "0123456789") -> dict[str, Any]:
    """Return the form fields of these questions, in this order."""
    fields: dict[str, Any] = {"question": list(keys[: len(questions)])}
    for key, question in zip(keys, questions, strict=False):
        prefix = f"question-{key}-"
        fields |= {prefix + name: question[name] for name in ("label", "type", "name")}
        fields[prefix + "options"] = "\r\n".join(question["options"])
        if question["required"]:
            fields[prefix + "required"] = "on"
    return fields


def errors(page: Answer) -> dict[str, list[str]]:
    """Return the errors shown on the page, by the input that they belong to."""
    html = re.sub(r"<template.*?</template>", "", main(page), flags=re.DOTALL)
    found = {}
    for name, text in re.findall(r'class="errorlist" id="id_([\w-]+)_error">(.*?)</ul>', html):
        assert f'id_{name}_error"' in html.replace(f'id="id_{name}_error"', ""), name
        found[name] = re.findall(r"<li>(.*?)</li>", text)
    return found


def questions_of(page: Answer) -> list[tuple[str, str, str]]:
    """Return key, label and name of each question in the form, in order."""
    html = re.sub(r"<template.*?</template>", "", main(page), flags=re.DOTALL)

    def value(name: str) -> str:
        (tag,) = re.findall(rf'<input type="text" name="{name}"[^>]*>', html)
        return "".join(re.findall(r'value="([^"]*)"', tag))

    keys = re.findall(r'name="question" value="([^"]*)"', html)
    return [(key, value(f"question-{key}-label"), value(f"question-{key}-name")) for key in keys]


# --- the list -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [LIST, NEW, f"{LIST}/1"])
def test_signed_out_one_signs_in_first(client: Client, path: str) -> None:
    assert client.get(path).headers["Location"] == f"/accounts/login/?next={path}"


def test_the_list_tells_the_terms_of_each(signed_in: Client, alice: User) -> None:
    intro = factories.event_type(alice, name="Intro call", duration=15)
    paid = factories.event_type(
        alice,
        name="Long talk",
        duration=90,
        location="custom",
        location_custom="Room 1",
        price="50.00",
        currency="EUR",
        requires_approval=True,
        is_active=False,
        is_hidden=True,
        color="#ff0000",
    )
    page = signed_in.get(LIST)
    said = words(page)
    assert (
        f"Intro call 15 minutes Zoom Call {ADDRESS}/intro-call Copy link Intro call"
        " ↓ Move Intro call down Intro call can be booked"
        " ⋯ More for Intro call Preview Book for somebody Edit Duplicate"
    ) in said
    assert (
        "Long talk Hidden 90 minutes Room 1 €50.00 Requires your approval"
        " ↑ Move Long talk up Long talk can be booked ⋯ More for Long talk Edit Duplicate"
    ) in said
    html = main(page)
    assert 'fill="#ff0000"' in html
    assert f'href="/event-types/{paid.pk}"' in html
    assert re.findall(r'action="([^"]*activate)".*?aria-checked="(\w+)"', html) == [
        (f"/event-types/{intro.pk}/deactivate", "true"),
        (f"/event-types/{paid.pk}/activate", "false"),
    ]
    assert f'data-copy="#address-{intro.pk}"' in html
    assert f'id="address-{intro.pk}"' in html
    assert 'href="/alice/intro-call"' in html  # the preview
    assert 'href="/alice/long-talk"' not in html  # which would find nothing


def test_an_empty_list_says_what_it_is_for(signed_in: Client) -> None:
    page = signed_in.get(LIST)
    assert "No event types yet An event type is what people can book" in words(page)
    assert main(page).count(f'href="{NEW}"') == 1


def test_those_of_others_are_not_shown(signed_in: Client, bob: User) -> None:
    factories.event_type(bob)
    assert "No event types yet" in words(signed_in.get(LIST))


@pytest.mark.parametrize("count", [1, 3])
def test_queries_do_not_grow_with_the_rows(
    signed_in: Client, alice: User, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    for _number in range(count):
        factories.event_type(alice)
    with django_assert_num_queries(4):  # session, person, event types and how many there are
        assert len(signed_in.get(LIST).context["page"]) == count


# --- what is done with one of them ----------------------------------------------------------------


def test_one_is_deactivated_and_activated_again(signed_in: Client, event_type: EventType) -> None:
    page = signed_in.post(f"{page_of(event_type)}/deactivate", follow=True)
    assert page.redirect_chain == [(LIST, 302)]
    assert words(page).startswith(
        "30 Minute Meeting can no longer be booked. Its bookings stay as they are."
    )
    event_type.refresh_from_db()
    assert not event_type.is_active
    page = signed_in.post(f"{page_of(event_type)}/activate", follow=True)
    assert words(page).startswith("30 Minute Meeting can be booked again.")
    event_type.refresh_from_db()
    assert event_type.is_active


def test_one_that_nobody_booked_is_deleted(signed_in: Client, event_type: EventType) -> None:
    assert "Nobody has booked it. It is deleted permanently" in words(
        signed_in.get(page_of(event_type))
    )
    page = signed_in.post(f"{page_of(event_type)}/delete", follow=True)
    assert words(page).startswith("30 Minute Meeting is deleted.")
    assert not EventType.objects.exists()


def test_one_that_has_bookings_is_kept(
    signed_in: Client, event_type: EventType, book: Book
) -> None:
    book()
    said = words(signed_in.get(page_of(event_type)))
    assert "It has bookings, so it is deactivated instead" in said
    page = signed_in.post(f"{page_of(event_type)}/delete", follow=True)
    assert words(page).startswith(
        "30 Minute Meeting has bookings, so it was deactivated instead of deleted."
    )
    event_type.refresh_from_db()
    assert not event_type.is_active
    # That is all that can be done.
    assert "Delete" not in words(signed_in.get(page_of(event_type)))


def test_one_that_breaks_a_rule_by_now_says_so(signed_in: Client, event_type: EventType) -> None:
    EventType.objects.update(location="custom", is_active=False)
    page = signed_in.post(f"{page_of(event_type)}/activate", follow=True)
    assert words(page).startswith(
        "30 Minute Meeting has an error. Open it, correct it and save it."
    )
    assert not EventType.objects.get().is_active


@pytest.mark.parametrize("act", ["activate", "deactivate", "delete", "duplicate", "up", "down"])
def test_only_a_post_of_its_host_changes_it(
    client: Client, event_type: EventType, bob: User, act: str
) -> None:
    before = everything()
    path = f"{page_of(event_type)}/{act}"
    assert client.post(path).headers["Location"] == f"/accounts/login/?next={LIST}"
    client.force_login(bob)
    assert client.post(path).status_code == HTTPStatus.NOT_FOUND
    client.force_login(event_type.host)
    assert client.get(path).status_code == HTTPStatus.METHOD_NOT_ALLOWED
    assert [row["is_active"] for row in EventType.objects.values()] == [True]
    assert everything()["scheduling.EventType"] == before["scheduling.EventType"]


def positions(host: User) -> list[tuple[str, int]]:
    return list(host.event_types.values_list("name", "sort_order"))


def test_one_moves_up_and_down_by_a_place(signed_in: Client, alice: User) -> None:
    one, _two, three = (
        factories.event_type(alice, name=name, sort_order=order)
        for name, order in (("One", 0), ("Two", 0), ("Three", 7))
    )
    back = {"next": f"{LIST}#event-type-{three.pk}"}
    answer = signed_in.post(f"{page_of(three)}/up", back)
    assert (answer.status_code, answer.headers["Location"]) == (302, back["next"])
    assert positions(alice) == [("One", 0), ("Three", 1), ("Two", 2)]
    signed_in.post(f"{page_of(one)}/down", back)
    assert positions(alice) == [("Three", 0), ("One", 1), ("Two", 2)]
    # At either end nothing happens.
    signed_in.post(f"{page_of(three)}/up", back)
    signed_in.post(f"{page_of(_two)}/down", back)
    assert positions(alice) == [("Three", 0), ("One", 1), ("Two", 2)]


def test_a_copy_stands_after_its_original_and_cannot_be_booked_yet(
    signed_in: Client, alice: User
) -> None:
    first = factories.event_type(
        alice, name="Intro call", custom_fields=[TOPIC], is_hidden=True, price="5.00"
    )
    factories.event_type(alice, name="Last")
    page = signed_in.post(f"{page_of(first)}/duplicate", follow=True)
    copy = alice.event_types.get(name="Copy of Intro call")
    assert page.redirect_chain == [(page_of(copy), 302)]
    assert words(page).startswith(
        "This is a copy of Intro call. Switch it on in the list when it is ready."
    )
    rows = {row["id"]: row for row in EventType.objects.values()}
    own = ("id", "uuid", "name", "slug", "is_active", "sort_order", "created_at", "updated_at")
    kept, made = ({**rows[row.pk]} for row in (first, copy))
    assert made["uuid"] != kept["uuid"]
    assert (made["slug"], made["is_active"]) == ("copy-of-intro-call", False)
    for name in own:
        del kept[name], made[name]
    assert made == kept
    assert positions(alice) == [("Intro call", 0), ("Copy of Intro call", 1), ("Last", 2)]


def test_the_name_of_a_copy_is_not_too_long(signed_in: Client, alice: User) -> None:
    found = factories.event_type(alice, name="x" * 120)
    signed_in.post(f"{page_of(found)}/duplicate")
    assert alice.event_types.get(is_active=False).name == f"Copy of {'x' * 111}…"


def test_a_long_list_is_searched_by_name(signed_in: Client, alice: User) -> None:
    for number in range(51):
        factories.event_type(alice, name=f"Talk {number}")
    assert 'name="q"' in main(signed_in.get(LIST))
    page = signed_in.get(LIST, {"q": " tAlK 49 "})
    assert [row.event_type.name for row in page.context["rows"]] == ["Talk 49"]
    assert "Move Talk" not in words(page)
    assert "No event type has “nothing” in its name." in words(
        signed_in.get(LIST, {"q": "nothing"})
    )
    # What matches on several pages stays the question on each of them.
    assert "?q=talk&amp;page=2" in main(signed_in.get(LIST, {"q": "talk"}))


def test_a_short_list_needs_no_search(signed_in: Client, event_type: EventType) -> None:
    assert 'name="q"' not in main(signed_in.get(LIST))


# --- the form -----------------------------------------------------------------------------------


def test_a_new_one_is_made_with_everything_that_was_said(signed_in: Client, alice: User) -> None:
    services.set_hours(user=alice, days={}, timezone="Europe/Berlin")
    sent = typed(
        name="Long talk",
        slug="talk",
        description="One\r\ntwo",
        color="#ff0000",
        duration="90",
        location="custom",
        location_custom="Room 1",
        location_link="https://example.com/room",
        link_later="",
        requires_approval="on",
        confirm_email="on",
        buffer_time_before="5",
        buffer_time_after="10",
        min_advance_booking="24",
        max_advance_booking="30",
        available_days=["7", "1"],
        slot_interval="20",
        daily_limit="3",
        price="50.5",
        currency="eur",
        payment_method="invoice",
        durations=["60", "30"],
        weekly_limit="9",
        cancellation_notice="1440",
        redirect_url="https://example.com/thanks",
        is_hidden="on",
    )
    page = signed_in.post(NEW, sent | asked(SIZE, TOPIC), follow=True)
    assert page.redirect_chain == [(LIST, 302)]
    assert words(page).startswith("Long talk is saved.")
    row = EventType.objects.values().get()
    del row["id"], row["uuid"], row["created_at"], row["updated_at"]
    assert row == {
        "host_id": alice.pk,
        "name": "Long talk",
        "slug": "talk",
        "description": "One\ntwo",
        "color": "#ff0000",
        "duration": 90,
        "durations": [30, 60, 90],
        "location": "custom",
        "location_custom": "Room 1",
        "location_link": "https://example.com/room",
        "timezone": "Europe/Berlin",
        "is_active": True,
        "is_hidden": True,
        "requires_approval": True,
        "confirm_email": True,
        "buffer_time_before": 5,
        "buffer_time_after": 10,
        "min_advance_booking": 24,
        "max_advance_booking": 30,
        "schedule_id": None,
        "available_days": [1, 7],
        "slot_interval": 20,
        "daily_limit": 3,
        "weekly_limit": 9,
        "cancellation_notice": 1440,
        "redirect_url": "https://example.com/thanks",
        "reminders": [60, 15],
        "price": Decimal("50.50"),
        "currency": "EUR",
        "payment_method": "invoice",
        "custom_fields": [SIZE, TOPIC],
        "sort_order": 0,
    }


@pytest.mark.parametrize("location", ["phone_call", "in_person"])
def test_a_link_is_left_out_where_people_do_not_meet_by_one(
    signed_in: Client, location: str
) -> None:
    signed_in.post(NEW, typed(location=location, location_link="https://example.com/room"))
    assert (EventType.objects.get().location, EventType.objects.get().location_link) == (
        location,
        "",
    )


def test_the_form_says_whether_the_link_follows(signed_in: Client, alice: User) -> None:
    with_link = factories.event_type(alice, location_link="https://example.com/room")
    later = factories.event_type(alice, slug="later")
    for path, checked in ((NEW, True), (page_of(with_link), False), (page_of(later), True)):
        html = main(signed_in.get(path))
        [box] = re.findall(r'<input type="checkbox" name="link_later"[^>]*>', html)
        assert ("checked" in box) == checked


def test_a_link_that_is_given_need_not_follow(
    signed_in: Client, alice: User, event_type: EventType
) -> None:
    """The box may stay ticked as it was shown. One that was ticked now says something else."""
    room = "https://example.com/room"
    signed_in.post(NEW, typed(slug="new", location_link=room))
    signed_in.post(page_of(event_type), typed(slug="changed", location_link=room))
    links = EventType.objects.values_list("slug", "location_link")
    assert sorted(links) == [("changed", room), ("new", room)]
    page = signed_in.post(page_of(event_type), typed(slug="changed", location_link=room))
    assert errors(page) == {"link_later": ["Give the link, or say that it follows, but not both."]}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"duration": "45"}, 45),
        ({"duration": "other", "duration_other": "50"}, 50),
        ({"duration": "45", "duration_other": "50"}, 45),
        ({"duration": "50"}, 50),  # by a page of the version before
    ],
)
def test_a_duration_is_chosen_or_typed(signed_in: Client, sent: dict[str, str], kept: int) -> None:
    signed_in.post(NEW, typed(**sent))
    found = EventType.objects.get()
    assert found.duration == kept
    html = main(signed_in.get(page_of(found)))
    [checked] = re.findall(r'name="duration" value="(\w+)"[^>]* checked', html)
    [other] = re.findall(r'name="duration_other"[^>]* value="(\w*)"', html)
    assert (checked, other) == ((str(kept), "") if kept == 45 else ("other", str(kept)))


def test_a_new_one_asks_for_little_and_the_rest_is_folded(signed_in: Client) -> None:
    html = main(signed_in.get(NEW))
    assert re.findall(r"<summary><h2 [^>]*>([^<]*)</h2>", html) == [
        "When people can book",
        "Limits and buffers",
        "Questions",
        "After booking",
        "Appearance",
    ]
    assert folded(html) == [True] * 5
    shown = re.sub(r"<details.*?</details>", "", html, flags=re.DOTALL)
    names = re.findall(r'<(?:input|select|textarea) (?!type="hidden")[^>]*name="(\w+)"', shown)
    assert list(dict.fromkeys(names)) == [
        "name",
        "duration",
        "duration_other",
        "location",
        "location_custom",
        "location_link",
        "link_later",
    ]


def folded(html: str) -> list[bool]:
    sections = re.findall(r'<details class="panel event-type-section"[^>]*>', html)
    return [not section.endswith(" open>") for section in sections]


@pytest.mark.parametrize(
    ("changed", "opened"),
    [
        ({"available_days": []}, 0),
        ({"weekly_limit": "0"}, 1),
        ({"question": ["0"]}, 2),
        ({"act": "add-question"}, 2),
        ({"redirect_url": "http://example.com"}, 3),
        ({"price": "-1"}, 4),
    ],
)
def test_a_section_that_needs_another_look_is_open(
    signed_in: Client, changed: dict[str, Any], opened: int
) -> None:
    page = signed_in.post(NEW, typed(**changed))
    assert folded(main(page)) == [number != opened for number in range(5)]
    # Nothing is saved, so leaving the page warns.
    assert "data-unsaved" in main(page)
    assert "data-unsaved" not in main(signed_in.get(NEW))


def test_a_host_with_several_schedules_chooses_one(
    signed_in: Client, alice: User, bob: User, event_type: EventType
) -> None:
    assert 'name="schedule"' not in main(signed_in.get(page_of(event_type)))
    evenings = services.create_schedule(user=alice, name="Evenings")
    html = main(signed_in.get(page_of(event_type)))
    [select] = re.findall(r'<select name="schedule".*?</select>', html, re.DOTALL)
    assert re.findall(r"<option[^>]*>([^<]*)<", select) == [
        "Your default: Working hours",
        "Working hours",
        "Evenings",
    ]
    for chosen, kept in ((str(evenings.pk), evenings.pk), ("", None)):
        sent = typed(slug=event_type.slug, schedule=chosen)
        assert signed_in.post(page_of(event_type), sent).status_code == 302
        event_type.refresh_from_db()
        assert event_type.schedule_id == kept
    others = bob.weekly_availability.default_id
    page = signed_in.post(page_of(event_type), typed(slug=event_type.slug, schedule=others))
    assert list(errors(page)) == ["schedule"]


def test_its_address_is_made_from_its_name(signed_in: Client, alice: User) -> None:
    signed_in.post(NEW, typed())
    signed_in.post(NEW, typed())
    assert list(alice.event_types.values_list("slug", flat=True)) == ["intro-call", "intro-call-2"]


def test_the_form_begins_with_what_is_saved_and_a_save_changes_nothing(
    signed_in: Client, alice: User
) -> None:
    found = factories.event_type(
        alice,
        custom_fields=[TOPIC, SIZE],
        price="5.00",
        daily_limit=2,
        timezone="Asia/Tokyo",
        is_active=False,
        description="Two\nlines",
        available_days=[2, 4],
    )
    page = signed_in.get(page_of(found))
    form, questions = page.context["form"], page.context["questions"]
    sent = {name: form[name].value() for name in form.fields}
    sent = {
        name: "" if value is None else value for name, value in sent.items() if value is not False
    }
    assert questions_of(page) == [("0", "Topic?", "topic"), ("1", "Size", "size")]
    assert [question["options"].value() for _key, question in questions.forms] == ["", "S\nM, L"]
    before = EventType.objects.values().get()
    signed_in.post(page_of(found), sent | {"act": "save"} | asked(TOPIC, SIZE))
    after = EventType.objects.values().get()
    assert after == before | {"updated_at": after["updated_at"]}


def test_the_whole_address_is_shown_with_what_a_change_would_break(
    signed_in: Client, event_type: EventType
) -> None:
    said = words(signed_in.get(page_of(event_type)))
    assert f"Address {ADDRESS}/ Changing it breaks the links that were shared" in said
    said = words(signed_in.get(NEW))
    assert f"Address (optional) {ADDRESS}/ Left empty, it is made from the name." in said


def test_a_new_one_can_be_booked_on_every_day_unless_it_is_said(signed_in: Client) -> None:
    form = signed_in.get(NEW).context["form"]
    assert form["available_days"].value() == [1, 2, 3, 4, 5, 6, 7]


def test_the_days_stand_in_the_order_of_the_persons_week(signed_in: Client, alice: User) -> None:
    alice.week_start = 7
    alice.save()
    html = main(signed_in.get(NEW))
    assert "".join(re.findall(r'name="available_days" value="(\d)"', html)) == "7123456"


def test_every_control_has_a_label(signed_in: Client, alice: User) -> None:
    found = factories.event_type(alice, custom_fields=[TOPIC])
    html = main(signed_in.get(page_of(found)))
    controls = re.findall(r"<(?:input|select|textarea) (?![^>]*hidden)[^>]*>", html)
    names = [match[1] for each in controls if (match := re.search(r' id="([^"]*)"', each))]
    assert len(names) == len(controls) > 25
    for name in names:
        assert f'for="{name}"' in html or re.search(rf'<label[^>]*><input[^>]* id="{name}"', html)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"name": ""}, {"name": ["This field is required."]}),
        ({"name": "a\u202eb"}, {"name": [UNSEEN]}),
        ({"duration": "10"}, {"duration": ["Ensure this value is greater than or equal to 15."]}),
        ({"duration": "x"}, {"duration": ["Enter a whole number."]}),
        ({"slug": "No Good"}, {"slug": ["Use a-z, 0-9 and single hyphens."]}),
        (
            {"slug": "taken"},
            {"slug": ["You have an event type with this address already."]},
        ),
        (
            {"location": "custom"},
            {"location_custom": ["Enter the location details for a custom location."]},
        ),
        (
            {"link_later": False},
            {"location_link": ["Give the link, or say that it follows."]},
        ),
        (
            {"location_link": "example.com/room", "link_later": False},
            {"location_link": ["The link must be an http or https URL."]},
        ),
        ({"available_days": []}, {"available_days": ["Choose at least one day."]}),
        ({"color": "red"}, {"color": ["Use a color such as #4F46E5."]}),
        ({"currency": "EU"}, {"currency": ["Use a code such as USD (ISO 4217)."]}),
        (
            {"redirect_url": "http://example.com/"},
            {"redirect_url": ["Use an https URL without a user name or a password."]},
        ),
        ({"price": "-1"}, {"price": ["Ensure this value is greater than or equal to 0."]}),
        (
            {"name": "", "slot_interval": "1"},
            {
                "name": ["This field is required."],
                "slot_interval": ["Ensure this value is greater than or equal to 5."],
            },
        ),
    ],
)
@pytest.mark.parametrize("is_new", [True, False])
def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(
    signed_in: Client,
    alice: User,
    event_type: EventType,
    changed: dict[str, Any],
    expected: dict[str, list[str]],
    is_new: bool,
) -> None:
    factories.event_type(alice, slug="taken")
    before = everything()
    sent = typed(slug="mine", description="Kept") | changed | asked(TOPIC)
    page = signed_in.post(NEW if is_new else page_of(event_type), sent)
    assert page.status_code == HTTPStatus.OK
    assert errors(page) == expected
    assert words(page).count("Not saved yet.") == 1
    form = page.context["form"]
    assert form["description"].value() == "Kept"
    assert {name: form[name].value() for name in changed} == changed
    assert questions_of(page) == [("0", "Topic?", "topic")]
    if not is_new:
        assert f"<h1>{event_type.name}</h1>" in main(page)  # the saved name, not the typed one
    assert everything() == before


def test_an_address_is_not_taken_away(signed_in: Client, event_type: EventType) -> None:
    page = signed_in.post(page_of(event_type), typed(slug=""))
    assert errors(page) == {"slug": ["This field is required."]}


def test_the_address_of_others_is_free(signed_in: Client, alice: User, bob: User) -> None:
    factories.event_type(bob, slug="talk")
    signed_in.post(NEW, typed(slug="talk"))
    assert alice.event_types.get().slug == "talk"


def test_a_stranger_finds_nothing(client: Client, event_type: EventType, bob: User) -> None:
    client.force_login(bob)
    before = everything()
    assert client.get(page_of(event_type)).status_code == HTTPStatus.NOT_FOUND
    assert client.post(page_of(event_type), typed()).status_code == HTTPStatus.NOT_FOUND
    assert client.get(f"{LIST}/{10**30}").status_code == HTTPStatus.NOT_FOUND
    assert everything() == before


def test_looking_changes_nothing(signed_in: Client, event_type: EventType) -> None:
    before = everything()
    for path in (LIST, NEW, page_of(event_type)):
        for method in (signed_in.get, signed_in.head):
            assert method(path, typed(name="Other")).status_code == HTTPStatus.OK
    assert everything() == before
