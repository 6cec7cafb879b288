"""Test visitor: it reports accessibility faults and browser errors."""

import pytest

from tests.journeys.browser import SCHEMES, Visit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.look]


@pytest.mark.parametrize(
    ("size", "found"),
    [
        ("desk", ["html-has-lang: <html> element must have a lang attribute"]),
        (
            "phone",
            [
                "color-contrast: Elements must meet minimum color contrast ratio thresholds",
                "html-has-lang: <html> element must have a lang attribute",
            ],
        ),
    ],
)
def test_what_shuts_somebody_out_is_told(visit: Visit, size: str, found: list[str]) -> None:
    """axe checks light on a desk and dark on a phone. It reports each known state once."""
    visitor = visit("/accounts/login/", size)
    visitor.check("login", size)
    visitor.page.evaluate("document.documentElement.removeAttribute('lang')")
    # Ink that can be read on light paper alone.
    visitor.page.evaluate("document.querySelector('h1').style.color = '#26241f'")
    with pytest.raises(AssertionError) as told:
        visitor.check("login", size)
    assert [line for line in str(told.value).splitlines() if not line.startswith(" ")] == [
        f"what axe finds on login, {size}, {SCHEMES[size]}:",
        *found,
    ]
    assert visitor.page.evaluate("matchMedia('(prefers-color-scheme: light)').matches")
    visitor.check("login", size)


def test_what_the_browser_reports_is_a_complaint(visit: Visit) -> None:
    visitor = visit("/accounts/login/")
    page = visitor.page
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=color:red>')")
    with page.expect_event("pageerror"):
        page.evaluate("setTimeout(() => { throw new Error('oh') })")
    page.goto("/nowhere")
    inline, thrown, missing = visitor.complaints
    assert "violates the following Content Security Policy directive 'style-src" in inline
    assert thrown == "oh"
    assert "404 (Not Found)" in missing
    visitor.complaints.clear()
