from __future__ import annotations

import pytest
from telegram import BotCommand, BotCommandScopeAllPrivateChats, BotCommandScopeChat
from telegram.error import BadRequest

SAM = 1
START = BotCommand("start", "Begin")


async def test_commands_depend_on_language_and_scope(bot, playground, sam):
    linh = playground.user(2, "Linh", "vi")
    await bot.set_my_commands([START])
    await bot.set_my_commands([BotCommand("start", "Bắt đầu")], language_code="vi")
    await bot.set_my_commands([START, BotCommand("crawl", "x")], scope=BotCommandScopeChat(SAM))
    profile, chats = playground.account.profile, playground.account.chats
    assert [c["command"] for c in profile.menu(chats[SAM], sam.person)] == ["start", "crawl"]
    assert profile.menu(chats[2], linh.person)[0]["description"] == "Bắt đầu"
    assert await bot.get_my_commands(language_code="vi") == (BotCommand("start", "Bắt đầu"),)
    await bot.delete_my_commands(scope=BotCommandScopeChat(SAM))
    assert await bot.get_my_commands(scope=BotCommandScopeChat(SAM)) == ()
    await bot.set_my_commands([START], scope=BotCommandScopeAllPrivateChats())
    assert await bot.get_my_commands(scope=BotCommandScopeAllPrivateChats()) == (START,)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (BotCommand("Start!", "x"), "Bot_command_invalid"),
        (BotCommand("start", ""), "Bot_command_description_invalid"),
    ],
)
async def test_bad_commands_are_refused(bot, command, reason):
    with pytest.raises(BadRequest, match=reason):
        await bot.set_my_commands([command])


async def test_commands_for_a_chat_the_bot_does_not_know_are_refused(bot):
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.set_my_commands([START], scope=BotCommandScopeChat(99))


async def test_texts_about_the_bot(bot):
    await bot.set_my_description("Finds pictures")
    await bot.set_my_short_description("Tìm ảnh", language_code="vi")
    await bot.set_my_name("Twin")
    assert (await bot.get_my_description()).description == "Finds pictures"
    assert (await bot.get_my_short_description("vi")).short_description == "Tìm ảnh"
    assert (await bot.get_my_name()).name == "Twin"
    with pytest.raises(BadRequest):
        await bot.set_my_short_description("x" * 121)


async def test_chats_and_their_members(bot, playground, sam):
    ada = playground.user(3, "Ada", is_admin=True)
    playground.group(-1_000_000_000_001, "Friends", [sam, ada])
    assert (await bot.get_chat(SAM)).first_name == "Sam"
    assert (await bot.get_chat(-1_000_000_000_001)).title == "Friends"
    (admin,) = await bot.get_chat_administrators(-1_000_000_000_001)
    assert admin.user.id == 3
    assert (await bot.get_chat_member(-1_000_000_000_001, SAM)).status == "member"
    assert await bot.get_chat_member_count(-1_000_000_000_001) == 3
    with pytest.raises(BadRequest, match="User not found"):
        await bot.get_chat_member(SAM, 99)


async def test_in_groups_only_what_is_meant_for_the_bot_arrives(bot, playground, sam):
    group = playground.group(-1_000_000_000_001, "Friends", [sam], topics=["Animals"])
    heard = await bot.send_message(group.id, "I am here", message_thread_id=2)
    assert heard.message_thread_id == 2
    with pytest.raises(BadRequest, match="thread not found"):
        await bot.send_message(group.id, "x", message_thread_id=9)
    sam.send_text("nothing for bots", chat_id=group.id)
    sam.send_text("/topk@other_bot", chat_id=group.id)
    sam.send_text("/topk", chat_id=group.id, thread=2)
    sam.send_text("😀 hello @Lookalike_Bot", chat_id=group.id)
    sam.send_text("thanks", chat_id=group.id, reply_to=heard.message_id)
    updates = await bot.get_updates(timeout=1)
    assert [u.message.text for u in updates] == ["/topk", "😀 hello @Lookalike_Bot", "thanks"]
    assert updates[0].message.is_topic_message
