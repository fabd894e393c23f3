"""Asks for one address over and over, on several connections that stay open. Standard library only.

    python load.py PORT TARGET SECONDS CONNECTIONS [HEADER...]

Prints JSON: requests a second, and half and 99 of 100 answer times in milliseconds. Every answer must be a 200 of one
and the same length.
"""

import asyncio
import json
import sys
import time

PORT, TARGET, SECONDS, CONNECTIONS = int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
REQUEST = "\r\n".join([f"GET {TARGET} HTTP/1.1", f"Host: 127.0.0.1:{PORT}", *sys.argv[5:], "", ""]).encode()
lengths: set[int] = set()
took: list[float] = []


async def visitor(until: float) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT, limit=2**20)
    while (began := time.perf_counter()) < until:
        writer.write(REQUEST)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 200"):
            raise SystemExit(head.decode())
        length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        await reader.readexactly(length)
        lengths.add(length)
        took.append(time.perf_counter() - began)
    writer.close()


async def main() -> None:
    until = time.perf_counter() + SECONDS
    await asyncio.gather(*(visitor(until) for _ in range(CONNECTIONS)))


asyncio.run(main())
if len(lengths) != 1:
    raise SystemExit(f"answers of different lengths: {lengths}")
took.sort()
print(
    json.dumps(
        {
            "rate": len(took) / SECONDS,
            "half_ms": took[len(took) // 2] * 1000,
            "late_ms": took[len(took) * 99 // 100] * 1000,
            "bytes": lengths.pop(),
        }
    )
)
