"""Pages of meetings. They show data and call services; they hold no rules."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import partial, wraps

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Membership, Team, User
from accounts.pages.signed_in import SignedIn
from core.errors import Conflict, DomainError, PersonGone, TimeTaken
from core.web.csv_files import MOST_ROWS, csv_file, moment
from core.web.pages import SAFE, action_view, checked, limited
from meetings.domain import services
from meetings.messages import links
from meetings.models import MeetingRequest
from meetings.models.enums import Tab
from meetings.pages.asking import asking_of
from meetings.pages.cards import TABS, Card, cards_of, step_of
from meetings.pages.forms import AskForm, FindMeetingForm
from scheduling.models.enums import Status
from scheduling.pages.answer import answer_page
from scheduling.pages.cards import Outcome
from scheduling.pages.forms import ReasonForm
from scheduling.pages.tabs import Row, tab_of, tab_page, wait

# Team mates that the form lists; a search finds the others.
_MOST_MATES = 200
_MOST_WORDS = 5
# Teams that a list can be narrowed to, and rows of a file that are read at once.
_MOST_TEAMS, _BATCH = 200, 500
_KEY = re.compile(r"([0-9]{1,18}):([0-9]{1,18})")


# --- pages ------------------------------------------------------------------------------------


@require_safe
@login_required
def meetings(request: SignedIn) -> HttpResponse:
    """Show one tab of the person's meetings. An unknown tab means the one that waits for them."""
    user, now = request.user, timezone.now()
    every = MeetingRequest.objects.all()
    return tab_page(
        request,
        "meetings/list.html",
        TABS,
        key=tab_of(request, TABS, default=Tab.PENDING),
        form=_find_form(request),
        every=every.visible_to(user),
        rows_in=lambda tab: every.in_tab(tab, user, now),
        rows_of=lambda rows: [_row(card, now) for card in cards_of(rows, user, now)],
        section="meetings",
        waiting=Tab.PENDING,
        now=now,
    )


def _find_form(request: SignedIn) -> FindMeetingForm:
    """Return the form with the teams that the person is in."""
    teams = Team.objects.visible_to(request.user).order_by("name", "id")
    return FindMeetingForm(
        request.GET, person=request.user, kinds=teams.values_list("pk", "name")[:_MOST_TEAMS]
    )


@require_safe
@login_required
@limited("user", "30/h", SAFE)
def meeting_file(request: SignedIn) -> HttpResponseBase:
    """Answer with the meetings of one tab and its filters as a CSV file."""
    user, now, form = request.user, timezone.now(), _find_form(request)
    if not form.is_valid():
        return redirect(f"{reverse('meetings:meetings')}?{request.GET.urlencode()}")
    tab = tab_of(request, TABS, default=Tab.PENDING)
    rows = form.narrowed(MeetingRequest.objects.in_tab(tab, user, now))
    rows = rows.with_people().order_by(*TABS[tab].order)[: MOST_ROWS + 1]
    return csv_file(
        f"meetings-{tab.value}-{now:%Y-%m-%d}.csv",
        [str(head) for head in _HEADS],
        (_cells(Card(meeting, user, meeting.status_at(now))) for meeting in rows.iterator(_BATCH)),
    )


_HEADS = (
    _("Number"),
    _("Status"),
    _("Team"),
    _("Name"),
    _("Start"),
    _("End"),
    _("Link to join"),
    _("Requested"),
)


def _cells(card: Card) -> list[object]:
    meeting, zone = card.meeting, card.person.zone
    return [
        meeting.booking_number,
        card.status_name,
        meeting.team.name,
        card.other.name,
        moment(meeting.start, zone),
        moment(meeting.end, zone),
        meeting.link,
        moment(meeting.created_at, zone),
    ]


def _row(card: Card, now: datetime) -> Row:
    meeting, url = card.meeting, reverse("meetings:meeting", args=[card.meeting.pk])
    words = gettext("Withdraw") if card.is_asked else gettext("Cancel")
    return Row(
        key=f"meeting-{meeting.pk}",
        start=meeting.start,
        end=meeting.end,
        title=card.title,
        url=url,
        said=[meeting.team.name, *wait(card, now), meeting.booking_number],
        join_url=card.join_url,
        move_url="",
        color="",
        person=card.other,
        more=[(words, f"{url}?cancel=#cancel")] if card.may_cancel else [],
        card=card,
    )


@require_safe
@login_required
def meeting(request: SignedIn, meeting_id: int) -> HttpResponse:
    found = _find(meeting_id, request.user)
    (card,) = cards_of([found], request.user, timezone.now())
    history = found.history.select_related("actor")
    return render(
        request,
        "meetings/meeting.html",
        {
            "section": "meetings",
            "card": card,
            "steps": [step_of(entry, request.user) for entry in history],
            "is_cancelling": "cancel" in request.GET,
        },
    )


def _find(meeting_id: int, user: User) -> MeetingRequest:
    return services.find(meeting_id=meeting_id, user=user)


@require_http_methods([*SAFE, "POST"])
@login_required
@limited("user", "30/10m", ["POST"])
@limited("user", "600/10m", SAFE)
def ask(request: SignedIn) -> HttpResponse:
    """Ask a team mate (`?mate=team:person`) for a meeting.

    A time is picked (`?month=`, `?day=`, `?start=`) or typed (`?date=`, `?time=`, on the mate's
    wall clock). Then the page says how it suits both, and a POST sends the request.
    """
    now, sent = timezone.now(), request.POST if request.method == "POST" else request.GET
    chosen, searched = sent.get("mate", ""), request.GET.get("find", "").replace("\0", "").strip()
    teams, are_many = _teams(request.user, chosen=chosen, searched=searched)
    has_time = request.method == "POST" or any(sent.get(name) for name in ("start", "date", "time"))
    form = AskForm(sent if has_time else None, teams=teams, now=now, initial={"mate": chosen})
    if request.method == "POST" and form.is_valid():
        try:
            asked = services.request_meeting(
                requester=request.user, now=now, is_limited=True, **form.request()
            )
        except DomainError as error:
            form.add_refusal(error.field, error.message)
        else:
            name = asked.recipient.name
            messages.success(request, gettext("Request sent to %(name)s.") % {"name": name})
            return redirect("meetings:meeting", asked.pk)
    people = {f"{team.pk}:{one.pk}": one for team, mates in teams for one in mates}
    asking = None
    if mate := people.get(chosen):
        asking = asking_of(
            request,
            request.user,
            mate,
            now,
            start=_start(form, mate, now) if has_time else None,
            kept={"mate": chosen} | ({"find": searched} if searched else {}),
        )
    context = {
        "form": form,
        "teams": teams,
        "are_many": are_many,
        "searched": searched,
        "asking": asking,
    }
    return render(request, "meetings/ask.html", context)


def _start(form: AskForm, mate: User, now: datetime) -> datetime | None:
    """Return the start that the form names, or None with the error beside its field."""
    if not form.has_time:
        return None
    try:
        return services.start_of(form.date_written, mate, now)
    except DomainError as error:
        form.add_refusal(error.field, error.message)
        return None


def _teams(user: User, *, chosen: str, searched: str) -> tuple[list[tuple[Team, list[User]]], bool]:
    """Return the team mates to ask, by team, and whether there are more than fit into the form.

    Their names contain `searched`. The person `chosen` (`team:person`) is always included.
    """
    others = Membership.objects.filter(team__in=Team.objects.visible_to(user), user__is_active=True)
    others = others.exclude(user=user).select_related("team", "user")
    others = others.order_by("team__name", "team_id", "user__first_name", "user__last_name", "id")
    found = list(others.filter(_called(searched))[: _MOST_MATES + 1])
    one = _KEY.fullmatch(chosen)
    if one and chosen not in {f"{each.team_id}:{each.user_id}" for each in found[:_MOST_MATES]}:
        found = [*others.filter(team=int(one[1]), user=int(one[2])), *found]
    by_team: dict[Team, list[User]] = {}
    for each in found[:_MOST_MATES]:
        by_team.setdefault(each.team, []).append(each.user)
    return list(by_team.items()), len(found) > _MOST_MATES


def _called(searched: str) -> Q:
    """Return a filter for members whose displayed name contains this text.

    A member without a name is found by the start of the email address.
    """
    if not searched:
        return Q()
    parts = Q()
    for word in searched.split()[:_MOST_WORDS]:
        parts &= Q(user__first_name__icontains=word) | Q(user__last_name__icontains=word)
    without_name = Q(user__first_name="", user__last_name="")
    return parts | without_name & Q(user__email__istartswith=searched)


# --- what a person does with a meeting ----------------------------------------------------------


def _acting(view: Callable[[SignedIn, MeetingRequest], str]) -> Callable[..., HttpResponseBase]:
    """Make the page of an action on a meeting, which leads back to where it was sent from."""

    @action_view("meetings:meeting", "meeting_id", words=_unmoved)
    @wraps(view)
    def act(request: SignedIn, meeting_id: int) -> str:
        return view(request, _find(meeting_id, request.user))

    return act


def _unmoved(error: Conflict) -> str:
    """Say why a meeting was not changed."""
    if isinstance(error, TimeTaken) and error.reason == "calendar":
        return gettext(
            "Your own calendar has something at that time, so it is not confirmed. You can confirm"
            " it anyway."
        )
    if isinstance(error, TimeTaken):
        return gettext("That time is no longer free for both of you, so it is not confirmed.")
    if isinstance(error, PersonGone):
        return gettext("%(why)s Nothing was changed.") % {"why": error.message}
    status = {"status": Status(error.reason).label}
    return gettext("Nothing was changed: the meeting is %(status)s.") % status


def _reason(request: HttpRequest) -> str:
    reason: str = checked(ReasonForm(request.POST))["reason"]
    return reason


@_acting
def confirm(request: SignedIn, meeting: MeetingRequest) -> str:
    services.confirm(
        meeting=meeting,
        actor=request.user,
        now=timezone.now(),
        over_calendar="over_calendar" in request.POST,
    )
    return gettext("Confirmed. The time is blocked for you and %(name)s.") % {
        "name": meeting.requester.name
    }


@_acting
def reject(request: SignedIn, meeting: MeetingRequest) -> str:
    services.reject(
        meeting=meeting, actor=request.user, now=timezone.now(), reason=_reason(request)
    )
    return gettext("Declined. %(name)s gets an email.") % {"name": meeting.requester.name}


@_acting
def cancel(request: SignedIn, meeting: MeetingRequest) -> str:
    services.cancel(
        meeting=meeting, actor=request.user, now=timezone.now(), reason=_reason(request)
    )
    other = meeting.other_party(request.user)
    return gettext("Cancelled. %(name)s gets an email.") % {"name": other.name}


# --- the link in the email ----------------------------------------------------------------------

_OUTCOMES = {
    # A link for an earlier state of a meeting that waits again.
    Status.PENDING: _("This link has expired and can no longer be used to answer."),
    Status.CONFIRMED: _("You confirmed this meeting."),
    Status.REJECTED: _("You declined this meeting."),
    Status.CANCELLED: _("This meeting was cancelled."),
    Status.EXPIRED: _("This request expired without an answer."),
    Status.COMPLETED: _("This meeting has taken place."),
}


def _verbs_of(meeting: MeetingRequest, person: User) -> dict[str, Callable[..., object]]:
    confirm = partial(services.confirm, meeting=meeting, actor=person)
    return {
        "confirm": confirm,
        "confirm-anyway": partial(confirm, over_calendar=True),
        "reject": partial(services.reject, meeting=meeting, actor=person),
    }


answer = answer_page(
    "meetings",
    read=links.read_answer,
    verbs_of=_verbs_of,
    card_of=lambda meeting, person, now: cards_of([meeting], person, now)[0],
    outcome_of=lambda card: Outcome(str(_OUTCOMES[card.status])),
    unmoved=_unmoved,
)
