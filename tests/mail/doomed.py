"""A hub with an SMTP door that ends its own process at a letter: `python -m tests.mail.doomed DATABASE SMTP PLACE`.

PLACE is `before` (the letter is not kept yet), `after` (it is kept, and not answered) or `never`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Any

from hub.config import Config
from hub.run import Hub
from hub.serve import serve


def main() -> None:
    database, smtp, place = sys.argv[1:]

    def ready(hub: Hub) -> None:
        keep = hub.keeper.keep

        async def trapped(letter: Any) -> Any:
            if place == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            kept = await keep(letter)
            if place == "after":
                os.kill(os.getpid(), signal.SIGKILL)
            return kept

        hub.keeper.keep = trapped  # type: ignore[method-assign]
        sys.stdout.write("ready\n")
        sys.stdout.flush()

    asyncio.run(serve(Config(database=database, port=0, smtp=smtp), ready))


if __name__ == "__main__":
    main()
