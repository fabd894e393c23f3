"""A process that needs access tokens; made to be killed while it renews one.

python keeper.py DATABASE_URL CONNECTION TOKEN_URL [FAILPOINTS]

Says `ready` when all is open. For each line on standard input it prints the token it was given: a good one for an empty
line, another one for a line that holds a token that was refused; `worked TOKEN` says that one was accepted. What
cannot be answered is named by its error.
"""

from __future__ import annotations

import sys

from comptoir.errors import ProductError
from comptoir.integrations.freeagent import FREEAGENT
from comptoir.link import TokenEndpoint, TokenKeeper
from comptoir.runtime import failpoints
from comptoir.runtime.clock import SystemClock
from comptoir.store import Vault, connections, open_database
from comptoir.upstream import Limits

KEY = b"k" * 32
TRAIL_KEY = b"t" * 32  # that of tests.conftest, which brings along far more


def main(database_url: str, connection_id: str, token_url: str, armed: str = "") -> None:
    clock = SystemClock()
    db = open_database(database_url)
    db.sign_trail_with(TRAIL_KEY)
    endpoint = TokenEndpoint(FREEAGENT, token_url, clock)
    limits = Limits(clock, calls=None, refreshes=None, address=None)
    keeper = TokenKeeper(db, Vault({1: KEY}, 1), clock, lambda _: FREEAGENT, lambda _: endpoint, lambda _: limits)
    with db.read() as tx:
        connection = connections.find(tx, connection_id)
    assert connection is not None
    failpoints.arm(armed)
    print("ready", flush=True)  # noqa: T201 - whoever started it waits for this
    for line in sys.stdin:
        said = line.split()
        try:
            if said[:1] == ["worked"]:
                keeper.worked(connection, said[1])
                told = ""
            elif said:
                told = keeper.refreshed(connection, said[0])
            else:
                told = keeper.access_token(connection)
        except ProductError as error:
            told = type(error).__name__
        print(told, flush=True)  # noqa: T201 - what it was started for
    db.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
