"""An event type in Chromium: made in two clicks, seen beside its form, copied and ordered."""

import re

import pytest
from playwright.sync_api import Dialog, expect

from accounts.models import User
from scheduling.models import EventType
from tests import factories
from tests.journeys.browser import SIZES, Enter

pytestmark = pytest.mark.django_db(transaction=True)

HEADINGS = [
    "When people can book",
    "Limits and buffers",
    "Questions",
    "After booking",
    "Appearance",
]


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("size", SIZES)
def test_a_name_is_enough_for_a_new_one(
    enter: Enter, alice: User, size: str, scripts: bool
) -> None:
    """Two clicks and one text: 30 minutes, by Zoom, and the link follows."""
    factories.event_type(alice, name="First")
    page = enter(alice, "/event-types", size=size, scripts=scripts).page
    page.get_by_role("link", name="New event type").click()
    page.get_by_label("Name", exact=True).first.fill("Intro call")
    save = page.get_by_role("button", name="Save").last
    expect(save).to_be_in_viewport()  # without a turn of the wheel
    for heading in HEADINGS:
        section = page.locator("details", has=page.get_by_role("heading", name=heading))
        expect(section).not_to_have_attribute("open", re.compile(""))
    save.click()
    expect(page.get_by_role("status")).to_contain_text("Intro call is saved.")
    made = alice.event_types.get(name="Intro call")
    assert (made.duration, made.location, made.link_later) == (30, "zoom_meeting", True)


def test_the_preview_follows_the_form(enter: Enter, alice: User) -> None:
    page = enter(alice, "/event-types/new").page
    preview = page.get_by_role("complementary", name="Preview")
    page.get_by_label("Name", exact=True).first.fill("Advice <b>")
    page.get_by_role("radio", name="Other").check()
    page.get_by_role("spinbutton", name="Minutes", exact=True).fill("50")
    page.get_by_label("Location", exact=True).select_option("phone_call")
    page.locator("summary", has_text="Appearance").click()
    page.get_by_label("Description").fill("One\ntwo")
    page.get_by_role("spinbutton", name="Price").fill("1200.5")
    page.get_by_label("Currency").fill("EUR")
    expect(preview).to_have_text(
        re.compile(r"Preview\s+Advice <b>\s+50 min\s*Phone Call\s*€1,200\.50\s+One\s+two")
    )
    expect(page.get_by_label("Link to join")).to_be_hidden()  # nobody joins a phone call by one
    page.get_by_role("button", name="Save").last.click()
    expect(page.get_by_role("status")).to_contain_text("is saved.")
    made = EventType.objects.get()
    assert (made.name, made.duration, made.location) == ("Advice <b>", 50, "phone_call")


def test_leaving_what_is_not_saved_warns(enter: Enter, event_type: EventType) -> None:
    page = enter(event_type.host, f"/event-types/{event_type.pk}").page
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.get_by_label("Name", exact=True).first.fill("Renamed")
    page.get_by_role("link", name="Home").click(no_wait_after=True)
    expect(page.get_by_label("Name", exact=True).first).to_have_value("Renamed")
    assert asked == ["beforeunload"]
    # The button that leaves on purpose does not ask.
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Event types")
    assert asked == ["beforeunload"]
    page.remove_listener("dialog", stay)  # the page is the next visitor's too


def test_a_refused_value_in_a_folded_section_is_shown(enter: Enter, alice: User) -> None:
    page = enter(alice, "/event-types/new").page
    page.get_by_label("Name", exact=True).first.fill("Advice")
    limits = page.locator("summary", has_text="Limits and buffers")
    limits.click()
    page.get_by_label("Maximum bookings per week").fill("0")
    limits.click()
    expect(page.get_by_label("Maximum bookings per week")).to_be_hidden()
    page.get_by_role("button", name="Save").last.click()
    expect(page.get_by_label("Maximum bookings per week")).to_be_visible()
    assert not EventType.objects.exists()


@pytest.fixture
def event_type(alice: User) -> EventType:
    return factories.event_type(alice, name="Advice")


@pytest.mark.parametrize("size", SIZES)
def test_one_is_copied_and_moved(enter: Enter, event_type: EventType, size: str) -> None:
    page = enter(event_type.host, "/event-types", size=size).page
    page.locator("summary", has_text="More for Advice").click()
    page.get_by_role("button", name="Duplicate").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Copy of Advice")
    page.get_by_role("link", name="Event types").first.click()
    names = page.get_by_role("main").get_by_role("heading", level=2)
    expect(names).to_have_text(["Advice", "Copy of Advice"])
    page.get_by_role("button", name="Move Copy of Advice up").click()
    expect(names).to_have_text(["Copy of Advice", "Advice"])
    switch = page.get_by_role("switch", name="Copy of Advice can be booked")
    expect(switch).to_have_attribute("aria-checked", "false")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "true")
