"""The limit for the list row: a handler of the same framework and server that returns the same bytes from memory.

python memory.py FILE PORT
"""

import sys
from pathlib import Path

import uvicorn
from litestar import Litestar, Response, get

BODY = Path(sys.argv[1]).read_bytes()


@get("/page")
async def page() -> Response[bytes]:
    return Response(BODY, media_type="application/json")


uvicorn.run(
    Litestar([page], openapi_config=None, logging_config=None),
    port=int(sys.argv[2]),
    log_config=None,
    access_log=False,
    server_header=False,
)
