"""Other people's sample payloads, where a folder of them lies beside the checkout, for a channel's own tests.

@pytest.mark.parametrize("path", payloads("storefronts", "acme"), ids=lambda path: path.name)
def test_a_sample_of_the_platform_gives_facts_or_a_reason(path):
    outcome("acme", "orders/create", path.read_bytes())
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from hub.contract import Headers, Message, Rejected
from hub.fixtures import RECEIVED_AT
from tests.channels.case import assert_canonical, registry

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "payloads"


def payloads(*parts: str, suffix: str = ".json") -> list[Path]:
    """The files of a folder and those below it; none where there is no such folder."""
    folder = FOLDER.joinpath(*parts)
    return sorted(path for path in folder.rglob(f"*{suffix}") if path.is_file())


def outcome(
    channel: str, topic: str, body: bytes, headers: dict[str, str] | None = None, **known: str
) -> str:
    """What becomes of a body: its facts in a line, or the reason of its rejection. Any other exception is a fault."""
    message = Message(body=body, headers=Headers(headers or {}), topic=topic, received_at=RECEIVED_AT)
    try:
        reading = registry().read(channel, msgspec.structs.replace(message, **known))
    except Rejected as error:
        assert str(error)
        return f"refused: {error}"
    if reading is None:
        return "ignored: the topic has no reader"
    for read in reading.facts:
        assert_canonical(read)
    said = ", ".join(f"{getattr(read, 'subject', type(read).__name__.lower())}" for read in reading.facts)
    return said or "understood, nothing to say"
