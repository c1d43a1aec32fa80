"""`python -m bench.hosts FOLDER COUNT LATENCY_S`: loopback hosts that serve a folder's files.

They run in a process of their own, so that they share no interpreter with whoever is measured. The
ports are printed, one a line; the end of standard input ends them.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@contextmanager
def serving(folder: Path, count: int, latency_s: float) -> Iterator[list[str]]:
    """Start hosts and give their `host:port` pairs.

    Args:
        folder: Its files are served by name.
        count: Hosts.
        latency_s: Pause before each answer.
    """
    command = [sys.executable, "-m", "bench.hosts", str(folder), str(count), str(latency_s)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the hosts have no pipes")
        try:
            yield [f"127.0.0.1:{process.stdout.readline().strip()}" for _ in range(count)]
        finally:
            process.stdin.close()


async def _serve(files: Mapping[str, bytes], count: int, latency_s: float) -> None:
    async def answer(request: web.Request) -> web.Response:
        await asyncio.sleep(latency_s)
        data = files.get(request.match_info["name"])
        if data is None:
            return web.Response(status=404)
        return web.Response(body=data, content_type="image/jpeg")

    application = web.Application()
    application.router.add_get("/{name}", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    for _ in range(count):
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
    for address in runner.addresses:
        print(address[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    contents = {path.name: path.read_bytes() for path in Path(sys.argv[1]).iterdir()}
    asyncio.run(_serve(contents, int(sys.argv[2]), float(sys.argv[3])))
