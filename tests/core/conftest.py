from collections.abc import Iterator

import pytest

from tests import services


@pytest.fixture(scope="module")
def server() -> Iterator[services.Valkey]:
    """Yield a Valkey for this module alone: its tests count commands and stop it."""
    with services.valkey() as valkey:
        yield valkey
