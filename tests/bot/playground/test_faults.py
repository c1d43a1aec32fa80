from __future__ import annotations

import datetime as dt
import time

import httpx
import pytest
from telegram import InputMediaPhoto
from telegram.error import BadRequest, Conflict, Forbidden, NetworkError, RetryAfter, TimedOut

from bot.playground import EVERYDAY, Fault
from bot.playground.faults import Faults

SAM = 1


@pytest.fixture(autouse=True)
def _timedelta(monkeypatch):
    monkeypatch.setenv("PTB_TIMEDELTA", "1")


async def test_flooding_says_how_long_to_wait(bot, playground):
    playground.faults.next("sendMessage", Fault("flood", retry_after=3))
    with pytest.raises(RetryAfter) as caught:
        await bot.send_message(SAM, "x")
    assert caught.value.retry_after == dt.timedelta(seconds=3)
    await bot.send_message(SAM, "x")


async def test_a_flooded_album_is_sent_in_part(bot, playground, picture):
    playground.faults.next("sendMediaGroup", Fault("flood", album_items=2))
    with pytest.raises(RetryAfter):
        await bot.send_media_group(SAM, [InputMediaPhoto(picture()) for _ in range(5)])
    assert len(playground.answers(SAM)) == 2
    assert len({m["media_group_id"] for m in playground.answers(SAM)}) == 1


@pytest.mark.parametrize("took_effect", [False, True])
@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("error", NetworkError),
        ("bad_gateway", NetworkError),
        ("reset", NetworkError),
        ("hang", TimedOut),
    ],
)
async def test_a_call_may_fail_before_or_after_it_took_effect(
    bot, playground, kind, error, took_effect
):
    playground.faults.next("sendMessage", Fault(kind, took_effect=took_effect, delay_s=0.6))
    with pytest.raises(error):
        await bot.send_message(SAM, "x", read_timeout=0.2)
    assert len(playground.answers(SAM)) == took_effect
    playground.wait_until(lambda: playground.calls("sendMessage"), 2)
    assert playground.calls("sendMessage")[0].took_effect == took_effect


async def test_a_connection_may_be_cut_before_the_upload_is_read(playground, sam):
    playground.faults.next("sendPhoto", Fault("cut"))
    async with httpx.AsyncClient() as client:
        with pytest.raises((httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)):
            await client.post(
                f"{playground.url}/bot{playground.token}/sendPhoto",
                data={"chat_id": 1},
                files={"photo": bytes(4_000_000)},
            )
    assert playground.calls("sendPhoto")[0].status == 0


async def test_a_slow_answer_is_right_all_the_same(bot, playground):
    playground.faults.next("sendMessage", Fault("slow", delay_s=0.3))
    began = time.monotonic()
    await bot.send_message(SAM, "x")
    assert time.monotonic() - began >= 0.3


async def test_conflicts_blocks_and_dead_files(bot, playground, picture):
    photo = (await bot.send_photo(SAM, picture())).photo[-1].file_id
    playground.faults.next("getUpdates", Fault("conflict"))
    with pytest.raises(Conflict):
        await bot.get_updates()
    playground.faults.next("sendMediaGroup", Fault("dead_file"))
    with pytest.raises(BadRequest, match="Wrong file identifier"):
        await bot.send_media_group(SAM, [InputMediaPhoto(photo), InputMediaPhoto(picture())])
    with pytest.raises(BadRequest, match="Wrong file identifier"):
        await bot.send_photo(SAM, photo)
    playground.faults.next("sendMessage", Fault("blocked"))
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await bot.send_message(SAM, "x")


async def test_a_download_may_fail_too(bot, playground, sam, picture):
    sent = sam.send_photo(picture())
    playground.faults.next("download", Fault("bad_gateway"))
    file = await bot.get_file(sent["photo"][-1]["file_id"])
    with pytest.raises(NetworkError):
        await file.download_as_bytearray()
    assert await file.download_as_bytearray()


def test_a_share_of_calls_fails_the_same_way_each_time():
    def fates(seed):
        faults = Faults()
        faults.share(0.1, seed=seed, methods=["sendMessage"])
        return [faults.draw("sendmessage") for _ in range(1000)]

    assert fates(1) == fates(1) != fates(2)
    assert 60 < sum(fate is not None for fate in fates(1)) < 140
    assert {f.kind for f in fates(1) if f} == {f.kind for f in EVERYDAY}


def test_other_methods_are_left_alone():
    faults = Faults()
    faults.share(1.0, kinds=["error"], methods=["sendPhoto"])
    faults.next("getMe", "flood", times=2)
    drawn = [faults.draw(m) for m in ("getme", "sendmessage", "getme", "getme", "sendphoto")]
    assert [f and f.kind for f in drawn] == ["flood", None, "flood", None, "error"]
    faults.clear()
    assert faults.draw("sendphoto") is None


def test_an_unknown_kind_is_named():
    with pytest.raises(ValueError, match="no fault is called 'fire'"):
        Fault("fire")


def test_programs_outside_can_steer(playground):
    with httpx.Client(base_url=playground.url) as client:
        assert "flood" in client.get("/playground/faults").json()
        fault = {"method": "getMe", "kind": "flood", "retry_after": 7}
        assert client.post("/playground/faults", json=fault).status_code == 200
        me = f"/bot{playground.token}/getMe"
        assert client.get(me).json()["parameters"] == {"retry_after": 7}
        share = {"share": 1, "kinds": ["error", {"kind": "bad_gateway"}], "seed": 4}
        assert client.post("/playground/faults", json=share).status_code == 200
        assert client.get(me).status_code in {500, 502}
        assert client.delete("/playground/faults").status_code == 200
        assert client.get(me).json()["ok"]
        assert client.post("/playground/faults", json={"kind": "fire"}).status_code == 400
        assert client.post("/playground/users", json={"id": 9, "name": "Zoë"}).status_code == 200
        records = client.get("/playground/calls", params={"method": "getMe"}).json()
        assert [r["fault"] for r in records][0::2] == ["flood", ""]
    assert playground.people[9].name == "Zoë"
