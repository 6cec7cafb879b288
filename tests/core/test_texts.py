"""Names and email addresses: invisible characters are refused."""

import pytest
from django.core.exceptions import ValidationError

from core.text.lines import validate_address, validate_line

CONTROLS = "\x01\n\x1b\x7f\x85\u2028\u2029"
WITHOUT_WIDTH = "\xad\u034f\u115f\u180e\u200b\u200c\u200d\u2060\u206f\u2800\u3164\ufeff\uffa0\ufffc"
TAGS = "\U0001d173\U000e0001\U000e0041\U000e007f"
DIRECTIONS = "\u061c\u200e\u200f\u202a\u202e\u2066\u2069"
HIDDEN = ["\r\n", *CONTROLS, *WITHOUT_WIDTH, *TAGS, *DIRECTIONS]


@pytest.mark.parametrize("hidden", HIDDEN, ids=ascii)
@pytest.mark.parametrize("text", ["{}John", "Jo{}hn", "John{}", "{}", "John {} Doe", "محمد {} علی"])
def test_a_line_holds_nothing_that_cannot_be_seen(text: str, hidden: str) -> None:
    with pytest.raises(ValidationError) as refused:
        validate_line(text.format(hidden))
    assert refused.value.messages == [
        "May not hold line breaks, control characters or invisible characters."
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "John Doe",
        "John\tDoe",
        "Zoë O’Brien-Ñandú",
        "Владимир",
        "אבגד",
        "امیر\u200cحسین",  # Persian: a non-joiner inside a name
        "श्री\u200dमान",
        "👩\u200d💻 Ada",
        "👁\ufe0f\u200d🗨\ufe0f",
        "王\u3000小明",
        "葛\U000e0100城",  # Japanese: which shape a letter has
        "Jean\u00a0Paul",
    ],
)
def test_a_name_of_any_script_is_a_line(text: str) -> None:
    validate_line(text)


@pytest.mark.parametrize(
    "address",
    [
        '"\x01"@example.com',
        '"a\x1bb"@example.com',
        '"a\\\tb"@example.com',
        "john@exam\u200bple.com",
        "john@exam\xadple.com",
        "john@exam\u202eple.com",
        "jo\u212an@example.com",  # the sign of the Kelvin, whose small letter is k
        "\u017fam@example.com",
        "john",
        "john@",
        "a@b.com\nBcc: c@d.com",
        "",
        None,
    ],
    ids=ascii,
)
def test_an_address_is_one_that_mail_reaches(address: str | None) -> None:
    with pytest.raises(ValidationError) as refused:
        validate_address(address)
    assert refused.value.messages == ["Enter a valid email address."]


@pytest.mark.parametrize(
    "address",
    ["john@example.com", '"John..Doe"@example.com', "a+b@münchen.example", "o'b@[10.0.0.1]"],
)
def test_any_other_address_stays_one(address: str) -> None:
    validate_address(address)
