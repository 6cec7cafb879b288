"""Walk along every link: no dead ends and no accessibility faults."""

import io
from collections import Counter, deque
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import call_command
from django.urls import resolve
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import User
from tests import factories
from tests.journeys.browser import Enter, Visit, Visitor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.look]

# Of pages that differ by whose they are alone, so many.
_ALIKE = 2
# Not ours: Swagger's and Django's.
_FOREIGN = ("/api/", "/admin/")
_LINKS = "links => links.map(link => link.href)"


@pytest.fixture
def size() -> str:
    return "phone"


def kind_of(address: str) -> tuple[str, str, frozenset[str]]:
    """Return the view of a URL, its tab, and the names of its query parameters."""
    parts = urlsplit(address)
    query = parse_qs(parts.query)
    return resolve(parts.path).view_name, query.get("tab", [""])[0], frozenset(query)


def walk(visitor: Visitor, who: str) -> set[str]:
    """Visit every page that links reach from here and return the names of their views.

    All folded parts are opened first.
    """
    page = visitor.page
    waiting, known = deque([page.url]), {page.url}
    walked = Counter[tuple[str, str, frozenset[str]]]()
    while waiting:
        address = waiting.popleft()
        kind = kind_of(address)
        if walked[kind] == _ALIKE:
            continue
        walked[kind] += 1
        answer = page.goto(address)
        assert answer is not None
        assert answer.ok, f"{address}: {answer.status}"
        visitor.unfold()
        name = "-".join([who, *filter(None, kind[:2]), str(walked[kind])])
        visitor.look(name.replace(":", "-"))
        for found in page.eval_on_selector_all("a[href]:not([download])", _LINKS):
            parts = urlsplit(found)
            link = parts._replace(fragment="").geturl()
            ours = parts.netloc == visitor.host and not parts.path.startswith(_FOREIGN)
            if ours and link not in known:
                known.add(link)
                waiting.append(link)
    return {view for view, _tab, _query in walked}


@pytest.fixture
def ada(transactional_db: None) -> User:
    """Return a host who has something in every state."""
    call_command("seed_demo", stdout=io.StringIO())
    ada, now = User.objects.get(username="ada"), timezone.now()
    factories.attempt(factories.delivery(factories.webhook(ada), now=now), at=now, status=500)
    return ada


PUBLIC = {"meetings:home", "public:host", "public:event_type"}


def test_a_stranger_comes_to_the_entrance_and_to_what_can_be_booked(
    visit: Visit, ada: User, size: str
) -> None:
    entrance = {"account_login", "account_signup", "account_reset_password"}
    assert walk(visit("/ada", size), "stranger") == PUBLIC | entrance


def test_a_host_comes_everywhere(enter: Enter, ada: User) -> None:
    visitor = enter(ada, "/")
    expect(visitor.page.get_by_role("heading", level=1)).to_contain_text("Ada")
    assert walk(visitor, "host") == PUBLIC | {
        "account_change_password",
        "account_email",
        "account_login",
        "account_reset_password",
        "accounts:access",
        "accounts:applications",
        "accounts:connections",
        "accounts:data",
        "accounts:delete_account",
        "accounts:devices",
        "accounts:new_application",
        "accounts:notifications",
        "accounts:profile",
        "accounts:security",
        "accounts:settings",
        "accounts:team",
        "accounts:teams",
        "accounts:tokens",
        "calendars:accounts",
        "calendars:connect_caldav",
        "calendars:connect_ics",
        "meetings:ask",
        "meetings:meeting",
        "meetings:meetings",
        "mfa_activate_totp",
        "mfa_index",
        "scheduling:book_for",
        "scheduling:booking",
        "scheduling:bookings",
        "scheduling:dates",
        "scheduling:event_type",
        "scheduling:event_types",
        "scheduling:hours",
        "scheduling:new_event_type",
        "webhooks:edit",
        "webhooks:new_webhook",
        "webhooks:webhook",
        "webhooks:webhooks",
    }
