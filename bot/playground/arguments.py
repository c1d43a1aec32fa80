"""The arguments of a call, however they came: query, form, JSON or multipart."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.playground.errors import ApiError, bad_request
from bot.playground.files import UPLOAD_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a call."""

    name: str
    mime: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Arguments:
    """Named values of one call; nested ones are JSON text or, in a JSON body, real objects."""

    values: Mapping[str, Any] = field(default_factory=dict)
    uploads: Mapping[str, Upload] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.values or name in self.uploads

    def text(self, name: str, default: str = "") -> str:
        """A value as text."""
        value = self.values.get(name, default)
        if isinstance(value, bool):
            return "true" if value else "false"
        return value if isinstance(value, str) else json.dumps(value)

    def integer(self, name: str, default: int = 0) -> int:
        """A value as a number; what is none counts as absent, as with Telegram."""
        try:
            return int(self.text(name) or default)
        except ValueError:
            return default

    def boolean(self, name: str) -> bool:
        """A value as yes or no."""
        return self.text(name).strip().lower() in {"true", "yes", "1"}

    def value(self, name: str, what: str) -> Any:  # noqa: ANN401 -- JSON may be anything
        """A nested value, `None` where absent.

        Args:
            name: Its name.
            what: What it should be, for the error text.

        Raises:
            ApiError: It is not JSON.
        """
        given = self.values.get(name)
        if not isinstance(given, str):
            return given
        if not given.strip():
            return None
        try:
            return json.loads(given)
        except ValueError:
            raise bad_request(f"can't parse {what} JSON object") from None

    def object(self, name: str, what: str) -> JSON | None:
        """A nested object."""
        given = self.value(name, what)
        if given is None or isinstance(given, dict):
            return given
        raise bad_request(f"object expected as {what}")

    def array(self, name: str, what: str) -> list[Any] | None:
        """A nested array."""
        given = self.value(name, what)
        if given is None or isinstance(given, list):
            return given
        raise bad_request(f"can't parse {what}: expected an Array")

    def upload(self, reference: str, part: str) -> Upload | None:
        """The file that `reference` (`attach://name`) names, or that came under the name `part`."""
        if reference.startswith("attach://"):
            return self.uploads.get(reference.removeprefix("attach://"))
        return None if reference else self.uploads.get(part)

    def for_record(self) -> JSON:
        """The arguments as a record shows them: JSON text unpacked, files as name and size."""
        shown: JSON = {}
        for name, value in self.values.items():
            shown[name] = value
            if isinstance(value, str) and value[:1] in {"{", "["}:
                try:
                    shown[name] = json.loads(value)
                except ValueError:
                    continue
        for name, upload in self.uploads.items():
            shown[name] = {"name": upload.name, "size": len(upload.data)}
        return shown


async def read_arguments(request: web.Request) -> Arguments:
    """Arguments of a request.

    Raises:
        ApiError: The body or a file is larger than the server takes, or it is no JSON but says so.
    """
    values: JSON = dict(request.query)
    uploads: dict[str, Upload] = {}
    try:
        if request.content_type == "application/json":
            body = json.loads(await request.text() or "{}")
            if not isinstance(body, dict):
                raise bad_request("can't parse request body as JSON: an object is expected")
            values |= body
        else:
            for name, part in (await request.post()).items():
                if isinstance(part, web.FileField):
                    with part.file as file:
                        data = file.read(UPLOAD_BYTES + 1)
                    if len(data) > UPLOAD_BYTES:
                        raise ApiError(413)
                    uploads[name] = Upload(part.filename, part.content_type, data)
                else:
                    values[name] = part if isinstance(part, str) else part.decode(errors="replace")
    except web.HTTPRequestEntityTooLarge:
        raise ApiError(413) from None
    except ValueError:
        raise bad_request("can't parse the request's body") from None
    return Arguments(values, uploads)
