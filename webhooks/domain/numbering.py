"""Numbers by which receivers order the events of one owner."""

from collections.abc import Mapping

from django.db import connection

_ADD = """
INSERT INTO webhooks_ownercounter (owner_id, last) VALUES {rows}
ON CONFLICT (owner_id) DO UPDATE SET last = webhooks_ownercounter.last + excluded.last
RETURNING owner_id, last
"""


def take(counts: Mapping[int, int]) -> dict[int, int]:
    """Take so many numbers for each of these owners. Return the first number of each.

    Take them last: others wait until this transaction ends. So a higher number commits later.
    """
    rows = ", ".join(["(%s, %s)"] * len(counts))
    values = [value for owner in sorted(counts) for value in (owner, counts[owner])]
    with connection.cursor() as cursor:
        cursor.execute(_ADD.format(rows=rows), values)
        return {owner: last - counts[owner] + 1 for owner, last in cursor.fetchall()}
