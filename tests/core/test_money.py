"""Amounts of money in the languages of the product."""

from decimal import Decimal

import pytest
from django.utils import translation

from core.text.money import in_words


@pytest.mark.parametrize(
    ("language", "amount", "currency", "said"),
    [
        ("en", "1500.00", "USD", "$1,500.00"),
        ("en", "50.00", "EUR", "€50.00"),
        ("de", "1500.00", "EUR", "1.500,00\xa0€"),
        ("es", "50.00", "EUR", "50,00\xa0€"),
        ("fr", "1500.00", "EUR", "1\u202f500,00\xa0€"),
        # A yen has no decimals. A price that has some all the same is not rounded.
        ("en", "1500.00", "JPY", "¥1,500"),
        ("en", "1500.50", "JPY", "¥1,500.50"),
        ("en", "5.00", "KWD", "KWD5.000"),
        ("en", "5.00", "ABC", "ABC5.00"),
    ],
)
def test_each_language_has_its_form(language: str, amount: str, currency: str, said: str) -> None:
    with translation.override(language):
        assert in_words(Decimal(amount), currency) == said
