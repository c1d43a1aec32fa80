"""Chats and who is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.playground.errors import bad_request

if TYPE_CHECKING:
    from bot.playground.calls import Call, Method
    from bot.playground.chats import Chat, Person

JSON = dict[str, Any]

_RIGHTS = (
    "can_be_edited", "is_anonymous", "can_manage_chat", "can_delete_messages",
    "can_manage_video_chats", "can_restrict_members", "can_promote_members", "can_change_info",
    "can_invite_users", "can_post_stories", "can_edit_stories", "can_delete_stories",
)  # fmt: skip


async def get_chat(call: Call) -> JSON:
    """`getChat`."""
    chat = call.chat()
    return {**chat.as_json(), "accent_color_id": chat.id % 7, "max_reaction_count": 11,
            "accepted_gift_types": {"unlimited_gifts": False, "limited_gifts": False,
                                    "unique_gifts": False, "premium_subscription": False,
                                    "gifts_from_channels": False}}  # fmt: skip


async def get_chat_member(call: Call) -> JSON:
    """`getChatMember`."""
    chat = call.chat()
    user_id = call.arguments.integer("user_id")
    if user_id == call.account.id:
        return {"status": "member", "user": call.account.as_user()}
    if user_id not in chat.members:
        raise bad_request("user not found")
    return _member(chat, chat.members[user_id])


async def get_chat_administrators(call: Call) -> list[JSON]:
    """`getChatAdministrators`."""
    chat = call.chat()
    if chat.kind == "private":
        raise bad_request("there are no administrators in the private chat")
    return [_member(chat, person) for person in chat.members.values() if person.is_admin]


async def get_chat_member_count(call: Call) -> int:
    """`getChatMemberCount`."""
    return len(call.chat().members) + 1


async def leave_chat(call: Call) -> bool:
    """`leaveChat`."""
    chat = call.chat()
    if chat.kind == "private":
        raise bad_request("chat member status can't be changed in private chats")
    chat.is_blocked = True
    return True


def _member(chat: Chat, person: Person) -> JSON:
    if person.is_admin and chat.kind != "private":
        rights = dict.fromkeys(_RIGHTS, True) | {"can_be_edited": False, "is_anonymous": False}
        return {"status": "administrator", "user": person.as_json(), **rights}
    return {"status": "member", "user": person.as_json()}


METHODS: dict[str, Method] = {
    "getChat": get_chat,
    "getChatMember": get_chat_member,
    "getChatAdministrators": get_chat_administrators,
    "getChatMemberCount": get_chat_member_count,
    "leaveChat": leave_chat,
}
