"""Slugs: names as URLs contain them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text.slugs import slug_of


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Erstgespräch", "erstgespraech"),
        ("Erstgespra\u0308ch", "erstgespraech"),  # as some keyboards write it
        ("ÜBER GRÖSSE", "ueber-groesse"),
        ("Straßenfest", "strassenfest"),
        ("Café à deux", "cafe-a-deux"),
        ("Œuvre", "oeuvre"),
        ("Sesión de año", "sesion-de-ano"),
        ("Łódź", "lodz"),
        ("Smørrebrød", "smorrebrod"),
        ("30 Minute Meeting!", "30-minute-meeting"),
        ("日本", ""),
    ],
)
def test_letters_are_written_with_a_to_z(name: str, slug: str) -> None:
    assert slug_of(name) == slug


@given(st.text())
def test_whatever_a_name_has_the_address_has_nothing_else(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9_-]*", slug_of(name))
