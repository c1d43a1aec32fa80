"""`sendMediaGroup`: several messages that belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.playground.arguments import Arguments
from bot.playground.errors import ApiError, bad_request, flood
from bot.playground.methods.content import caption_fields, media_of, place_of

if TYPE_CHECKING:
    from bot.playground.calls import Call, Method
    from bot.playground.files import Media

JSON = dict[str, Any]

MOST_ITEMS = 10
_KINDS = ("photo", "document", "video")


async def send_media_group(call: Call) -> list[JSON]:
    """`sendMediaGroup`. A single item becomes a plain message; keyboards are ignored.

    Raises:
        ApiError: Nothing is sent, except under flooding: then a part of the album is.
    """
    items = _items(call.arguments)
    captions = [caption_fields(item) for item in items]
    with call.account.bell:
        place_of(call, markup=False)
    media = [await _media(call, item, number) for number, item in enumerate(items, 1)]
    with call.account.bell:
        place = place_of(call, markup=False)
        group: JSON = {}
        if len(media) > 1:
            number = call.account.unique_number()
            group = {"media_group_id": f"{call.account.id % 10_000}{number:013d}"}
        sent: list[JSON] = []
        for one, caption in zip(media, captions, strict=True):
            if len(sent) == call.album_items:
                raise flood(call.retry_after)
            content = call.account.message_media(one) | caption | place.fields | group
            sent.append(call.account.post(place.chat, call.account.as_user(), content))
        if call.album_items is not None:
            raise flood(call.retry_after)
        return sent


def _items(arguments: Arguments) -> list[Arguments]:
    if "media" not in arguments:
        raise bad_request('parameter "media" is required')
    items = arguments.array("media", "media") or []
    if not items:
        raise bad_request("there are no messages to send")
    if len(items) > MOST_ITEMS:
        raise bad_request("too many messages to send as an album")
    for item in items:
        if not isinstance(item, dict):
            raise bad_request("can't parse InputMedia: expected an Object")
        if item.get("type") not in _KINDS:
            raise bad_request(
                f"can't parse InputMedia: type \"{item.get('type')}\" can't be used in"
                " sendMediaGroup"
            )
    kinds = {item["type"] for item in items}
    if "document" in kinds and len(kinds) > 1:
        raise bad_request("document can't be mixed with other media types")
    return [Arguments(item) for item in items]


async def _media(call: Call, item: Arguments, number: int) -> Media:
    try:
        return await media_of(call, item.text("type"), item, part="media")
    except ApiError as error:
        reason = error.description.removeprefix("Bad Request: ")
        if reason.startswith("can't parse"):
            raise
        reason = reason[0].upper() + reason[1:]
        raise bad_request(
            f'failed to send message #{number} with the error message "{reason}"'
        ) from None


METHODS: dict[str, Method] = {"sendMediaGroup": send_media_group}
