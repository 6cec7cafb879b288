"""Amounts of money as a person reads them: in the order and with the signs of their language."""

from decimal import Decimal
from functools import lru_cache

from babel.numbers import format_currency, get_currency_precision
from django.utils.translation import get_language


def in_words(amount: Decimal, currency: str) -> str:
    """Return `$1,500.00` or `1.500,00 €`, in the active language.

    The currency decides how many decimals there are, unless the amount has more.
    """
    return _written(amount, currency, get_language() or "en")


@lru_cache(maxsize=1024)
def _written(amount: Decimal, currency: str, language: str) -> str:
    decimals = get_currency_precision(currency)
    is_whole = amount == round(amount, decimals)
    locale = language.replace("-", "_")
    return format_currency(amount, currency, locale=locale, currency_digits=is_whole)
