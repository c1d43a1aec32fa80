"""How updates and files reach the bot."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bot.playground.errors import bad_request
from bot.playground.files import DOWNLOAD_BYTES

if TYPE_CHECKING:
    from bot.playground.calls import Call, Method

JSON = dict[str, Any]


async def get_updates(call: Call) -> list[JSON]:
    """`getUpdates`."""
    arguments = call.arguments
    kinds = arguments.array("allowed_updates", "allowed updates")
    if kinds is not None:
        call.account.updates.allow(kinds)
    return await call.account.updates.poll(
        arguments.integer("offset"), arguments.integer("limit", 100), arguments.integer("timeout")
    )


async def set_webhook(call: Call) -> bool:
    """`setWebhook`; only to this machine. Unlike the real server it takes plain HTTP."""
    arguments = call.arguments
    url = arguments.text("url")
    secret = arguments.text("secret_token")
    if url and not _is_loopback(url):
        raise bad_request("bad webhook: this server delivers to its own machine only")
    if not re.fullmatch(r"[A-Za-z0-9_-]{0,256}", secret):
        raise bad_request("secret token contains unallowed characters")
    with call.account.bell:
        if arguments.boolean("drop_pending_updates"):
            call.account.updates.drop()
        kinds = arguments.array("allowed_updates", "allowed updates")
        if kinds is not None:
            call.account.updates.allow(kinds)
        call.account.webhook = {
            "url": url,
            "secret": secret,
            "max_connections": arguments.integer("max_connections", 40),
        } if url else {}  # fmt: skip
        call.account.updates.is_for_webhook = bool(url)
        call.account.bell.ring()
    return True


async def delete_webhook(call: Call) -> bool:
    """`deleteWebhook`."""
    with call.account.bell:
        if call.arguments.boolean("drop_pending_updates"):
            call.account.updates.drop()
        call.account.webhook = {}
        call.account.updates.is_for_webhook = False
        call.account.bell.ring()
    return True


async def get_webhook_info(call: Call) -> JSON:
    """`getWebhookInfo`."""
    hook = call.account.webhook
    info: JSON = {
        "url": hook.get("url", ""),
        "has_custom_certificate": False,
        "pending_update_count": len(call.account.updates.waiting()),
    }
    shown = ("max_connections", "last_error_date", "last_error_message")
    info |= {name: hook[name] for name in shown if name in hook}
    if call.account.updates.allowed:
        info["allowed_updates"] = list(call.account.updates.allowed)
    return info


async def get_file(call: Call) -> JSON:
    """`getFile`."""
    file_id = call.arguments.text("file_id")
    with call.account.bell:
        file = call.account.files.file(file_id)
        if file is None:
            raise bad_request("wrong file_id or the file is temporarily unavailable")
        if len(file.data) > DOWNLOAD_BYTES:
            raise bad_request("file is too big")
        shown = call.account.files.describe(file)
        keys = ("file_id", "file_unique_id", "file_size")
        return {
            **{key: shown[key] for key in keys},
            "file_path": call.account.files.path_of(file),
        }


def _is_loopback(url: str) -> bool:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return False
    if parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        return False


METHODS: dict[str, Method] = {
    "getUpdates": get_updates,
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": get_webhook_info,
    "getFile": get_file,
}
