"""What a hub says of the fields of what is applied: which there are, which are secrets, what one is that is not given."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hub.cli.connect import fields, secret

if TYPE_CHECKING:
    from hub.cli.client import Client

Doc = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """The parts of a field with secrets among them: `settings`, or `auth`."""

    parts: dict[str, Doc]

    def hides(self, part: str) -> bool:
        """Whether it is a secret; what nobody knows is taken for one."""
        return part not in self.parts or secret(self.parts[part])

    def default(self, part: str) -> Any:
        """What it is where it is not given."""
        return self.parts.get(part, {}).get("default")


class Shapes:
    """The shapes of one hub, each asked for when it is needed."""

    def __init__(self, line: Client) -> None:
        self._line = line

    def fields(self, kind: str) -> list[str]:
        """The fields with which such a thing is made, as the API describes itself."""
        shape = self._api["paths"][f"/v1/{kind}"]["post"]["requestBody"]["content"]["application/json"][
            "schema"
        ]
        return list(self._schema(shape["$ref"]).get("properties", ()))

    def of(self, field: str, thing: Doc) -> Shape:
        """The shape of the settings, or of the auth, of a thing."""
        if field == "auth":
            return self._auth
        kind = thing.get("channel") or thing.get("kind")
        schema = (self._channels if "channel" in thing else self._notifiers).get(str(kind), {})
        return Shape(fields(schema.get("settings", {}))[0])

    def confirm(self, channel: str) -> str:
        """How a channel's orders are confirmed where its connection does not say."""
        return str(self._channels.get(channel, {}).get("confirm", ""))

    @cached_property
    def _api(self) -> Doc:
        found: Doc = self._line.get("/openapi.json")
        return found

    @cached_property
    def _auth(self) -> Shape:
        """Every kind of auth at once: what a part is called in one, it is called in all."""
        kinds = self._schema("NewEndpoint")["properties"]["auth"]["anyOf"]
        return Shape(
            {name: part for kind in kinds for name, part in self._schema(kind["$ref"])["properties"].items()}
        )

    @cached_property
    def _channels(self) -> dict[str, Doc]:
        return {one["name"]: one for one in self._line.pages("/v1/channels")}

    @cached_property
    def _notifiers(self) -> dict[str, Doc]:
        return {one["kind"]: one for one in self._line.get("/v1/notifiers/kinds")}

    def _schema(self, name: str) -> Doc:
        found: Doc = self._api["components"]["schemas"][name.rpartition("/")[2]]
        return found
