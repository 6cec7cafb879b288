"""Primary with a synchronous standby, which takes over when the primary is lost.

Each takeover starts from what the one before has left: the server that was promoted is the next
primary. So all rounds of a run write to one history.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

import psycopg

from tests import services, wire

NAME = "parley"
# As long as it takes somebody, or a program, to see that a primary is lost.
_NOTICED_SECONDS = 3.0


@dataclass
class Takeover:
    """One primary, its standby, and the fault that ends the primary."""

    primary: services.PostgreSQL
    standby: services.PostgreSQL
    fault: str
    pooler: services.PgBouncer | None
    network: services.Namespace | None
    failed_at: float = 0.0
    promoted_at: float = 0.0

    @property
    def settings(self) -> dict[str, str]:
        """Return the settings of a Parley that uses this cluster."""
        if self.pooler:
            url = f"{self.pooler.url.rpartition('/')[0]}/{NAME}"
            return {"DATABASE_URL": url, "DATABASE_POOLER": "transaction"}
        hosts = f"{self.primary.address},{self.standby.address}"
        url = f"postgres://parley@{hosts}/{NAME}?target_session_attrs=read-write&connect_timeout=3"
        return {"DATABASE_URL": url}

    def run(self) -> None:
        """Cause the fault. After a while, fence the primary and promote the standby."""
        self.failed_at = time.time()
        if self.fault == "killed":
            self.primary.kill()
        elif self.fault == "frozen":
            self.primary.freeze()
        else:
            assert self.network
            self.network.cut()  # which fences it too: nobody reaches it
        time.sleep(_NOTICED_SECONDS)
        if self.fault == "frozen":
            self.primary.kill()
        self.standby.run("pg_ctl", "promote", "--pgdata=data", "--wait")
        if self.pooler:
            self.pooler.lead_to(self.standby)
        self.promoted_at = time.time()


@contextmanager
def takeover(
    stack: ExitStack,
    primary: services.PostgreSQL,
    *,
    fault: str,
    is_pooled: bool,
    network: services.Namespace | None,
) -> Iterator[Takeover]:
    """Yield a primary with a standby that has all that is committed.

    The standby outlives the takeover, in `stack`: it is the next primary.
    """
    standby = stack.enter_context(services.postgresql("--synchronous_commit=on", copy_of=primary))
    with psycopg.connect(primary.url, autocommit=True) as session:
        session.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        session.execute("SELECT pg_reload_conf()")
    wire.until(partial(is_synchronous, primary), what="a synchronous standby")
    with ExitStack() as own:
        pooler = own.enter_context(services.pgbouncer(primary.url)) if is_pooled else None
        yield Takeover(primary, standby, fault, pooler, network)


def is_synchronous(primary: services.PostgreSQL) -> bool:
    with psycopg.connect(primary.url) as session:
        rows = session.execute("SELECT sync_state FROM pg_stat_replication").fetchall()
    return rows == [("sync",)]
