"""Messages arrive exactly once, whatever happens to the call."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
from telegram import InputMediaPhoto
from telegram.error import BadRequest, ChatMigrated, Forbidden

from bot.delivery import Courier
from bot.sending import MessageIds
from bot.transport import FloodError, Patience, UnclearError, UnsentError

if TYPE_CHECKING:
    from collections.abc import Callable

QUICK = Patience(tries=6, first_wait_s=0.001, longest_wait_s=0.002)
CHAT = 7


class Server:
    """The rules of the Bot API that matter here, with one fault planned per call of `send…`."""

    def __init__(self) -> None:
        self.ids = itertools.count(100)
        self.messages: dict[int, dict[str, Any]] = {}
        self.faults: list[Callable[[list[dict[str, Any]]], None]] = []
        self.calls: list[str] = []

    def receive(self, chat_id: int) -> int:
        """Somebody else's message takes an id."""
        message_id = next(self.ids)
        self.messages[message_id] = {"chat_id": chat_id, "is_mine": False}
        return message_id

    async def __call__(self, endpoint: str, data: dict[str, Any], **_: object) -> Any:
        self.calls.append(endpoint)
        if endpoint.startswith("edit"):
            return self._edit(endpoint, data)
        if not endpoint.startswith("send"):
            return True
        if endpoint == "sendMediaGroup":
            wanted = [{"caption": item.caption} for item in data["media"]]
        else:
            wanted = [{key: data[key] for key in ("text", "caption") if key in data}]
        for message in wanted:
            message |= {"chat_id": data["chat_id"], "is_mine": True}
        fault = self.faults.pop(0) if self.faults else None
        if fault:
            fault(wanted)  # may keep some, then raises
        sent = [self.keep(message) for message in wanted]
        return sent if endpoint == "sendMediaGroup" else sent[0]

    def keep(self, message: dict[str, Any]) -> dict[str, Any]:
        message_id = next(self.ids)
        self.messages[message_id] = message
        return {"message_id": message_id, "chat": {"id": message["chat_id"]}}

    def _edit(self, endpoint: str, data: dict[str, Any]) -> Any:
        message = self.messages.get(data["message_id"])
        part = "text" if endpoint == "editMessageText" else "caption"
        if message is None or message["chat_id"] != data["chat_id"]:
            raise BadRequest("Message to edit not found")
        if not message["is_mine"]:
            raise BadRequest("Message can't be edited")
        if part not in message:
            raise BadRequest("There is no text in the message to edit")
        assert message[part] == data[part], "a probe must never change a message"
        raise BadRequest("Message is not modified")

    def mine(self, part: str) -> list[str]:
        return [m[part] for m in self.messages.values() if m["is_mine"] and part in m]


def refuse(error: Exception) -> Callable[[list[dict[str, Any]]], None]:
    def fault(_: list[dict[str, Any]]) -> None:
        raise error

    return fault


def after_sending(server: Server, count: int, error: Exception) -> Callable[..., None]:
    def fault(wanted: list[dict[str, Any]]) -> None:
        for message in wanted[:count]:
            server.keep(message)
        raise error

    return fault


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def courier(server: Server) -> Courier:
    courier = Courier(QUICK)
    courier.message_ids.note(CHAT, server.receive(CHAT))
    return courier


async def send(
    courier: Courier, server: Server, endpoint: str, after: int | None = None, **data: Any
) -> Any:
    return await courier.process_request(server, (), {}, endpoint, {"chat_id": CHAT, **data}, after)


def album(count: int) -> list[InputMediaPhoto]:
    return [InputMediaPhoto("file", caption=f"#{n}") for n in range(1, count + 1)]


@pytest.mark.parametrize(
    "trouble", [UnsentError("no connection"), UnclearError("reset"), FloodError(0.01)]
)
async def test_text_that_had_no_effect_is_sent_again(
    courier: Courier, server: Server, trouble: Exception
) -> None:
    server.faults = [refuse(trouble)]
    await send(courier, server, "sendMessage", text="hello")
    assert server.mine("text") == ["hello"]


async def test_text_whose_answer_was_lost_is_not_sent_again(
    courier: Courier, server: Server
) -> None:
    server.faults = [after_sending(server, 1, UnclearError("timeout"))]
    message = await send(courier, server, "sendMessage", text="hello")
    assert server.mine("text") == ["hello"]
    assert message["message_id"] in server.messages


@pytest.mark.parametrize("sent", [0, 1, 3, 5])
async def test_album_sent_in_part_is_completed(courier: Courier, server: Server, sent: int) -> None:
    server.faults = [after_sending(server, sent, FloodError(0.01))]
    messages = await send(courier, server, "sendMediaGroup", media=album(5))
    assert server.mine("caption") == ["#1", "#2", "#3", "#4", "#5"]
    assert len(messages) == 5


async def test_album_survives_one_trouble_after_another(courier: Courier, server: Server) -> None:
    server.faults = [
        refuse(UnsentError("no connection")),
        after_sending(server, 2, UnclearError("reset")),
        refuse(FloodError(0.01)),
        after_sending(server, 3, UnclearError("timeout")),
    ]
    await send(courier, server, "sendMediaGroup", media=album(5))
    assert server.mine("caption") == ["#1", "#2", "#3", "#4", "#5"]


async def test_lost_album_is_found_among_other_chats_messages(
    courier: Courier, server: Server
) -> None:
    def fault(wanted: list[dict[str, Any]]) -> None:
        for message in wanted:
            courier.message_ids.note(8, server.receive(8))
            server.receive(9)  # one nobody has told us about
            server.keep(message)
        raise UnclearError("reset")

    server.faults = [fault]
    await send(courier, server, "sendMediaGroup", media=album(4))
    assert server.mine("caption") == ["#1", "#2", "#3", "#4"]


async def test_next_process_finds_what_the_killed_one_had_sent(server: Server) -> None:
    after = server.receive(CHAT)
    for n in (1, 2, 3):
        server.keep({"chat_id": CHAT, "is_mine": True, "caption": f"#{n}"})
    courier = Courier(QUICK)
    await send(courier, server, "sendMediaGroup", after, media=album(3))
    await send(courier, server, "sendMessage", after, text="three pictures")
    assert server.mine("caption") == ["#1", "#2", "#3"]
    assert server.mine("text") == ["three pictures"]


@pytest.mark.parametrize("error", [BadRequest("chat not found"), Forbidden("bot was blocked")])
async def test_refusals_are_reported_at_once(
    courier: Courier, server: Server, error: Exception
) -> None:
    server.faults = [refuse(error)]
    with pytest.raises(type(error)):
        await send(courier, server, "sendMessage", text="hello")
    assert server.calls == ["sendMessage"]


async def test_group_that_became_a_supergroup_gets_its_answer(
    courier: Courier, server: Server
) -> None:
    server.faults = [refuse(ChatMigrated(-1001234567890))]
    await send(courier, server, "sendMessage", text="hello")
    assert [m["chat_id"] for m in server.messages.values() if m["is_mine"]] == [-1001234567890]


async def test_lasting_trouble_is_reported_in_the_end(courier: Courier, server: Server) -> None:
    server.faults = [refuse(UnsentError("no connection"))] * 20
    with pytest.raises(UnsentError):
        await send(courier, server, "sendMessage", text="hello")


async def test_chat_action_is_never_repeated(courier: Courier, server: Server) -> None:
    server.faults = [refuse(UnclearError("502"))]
    with pytest.raises(UnclearError):
        await send(courier, server, "sendChatAction", action="upload_photo")
    assert server.calls == ["sendChatAction"]


def test_ids_of_servers_that_number_each_chat_are_understood() -> None:
    ids = MessageIds()
    ids.note(1, 10)
    ids.note(2, 10)
    ids.note(2, 11)
    assert ids.newest(1) == 10
    assert ids.unaccounted(1, 10, 2) == [11, 12]


async def test_answers_of_long_ago_stay_as_they_are_while_nothing_new_is_known(
    server: Server,
) -> None:
    server.ids = itertools.count(1)
    for n in range(1, 10):
        server.keep({"chat_id": CHAT, "is_mine": True, "caption": f"old #{n}"})
    server.faults = [refuse(FloodError(0.01))]
    await send(Courier(QUICK), server, "sendMediaGroup", media=album(2))
    assert server.mine("caption")[9:] == ["#1", "#2"]
