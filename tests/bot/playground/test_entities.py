from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.playground.entities import parse, recognise, trim
from bot.playground.errors import ApiError


def kinds(result):
    text, entities = result
    return text, [(e["type"], e["offset"], e["length"]) for e in entities]


@pytest.mark.parametrize(
    ("text", "mode", "expected"),
    [
        ("plain <b>", "", ("plain <b>", [])),
        ("<a href='https://x.y'>x</a>", "HTML", ("x", [("text_link", 0, 1)])),
        ('<span class="tg-spoiler">x</span>', "HTML", ("x", [("spoiler", 0, 1)])),
        ("<b>a<i>b</i></b>", "html", ("ab", [("bold", 0, 2), ("italic", 1, 1)])),
        ("&lt;&amp;&#33;", "HTML", ("<&!", [])),
        ("*a* _b_ __c__ ~d~ ||e||", "MarkdownV2",
         ("a b c d e", [("bold", 0, 1), ("italic", 2, 1), ("underline", 4, 1),
                        ("strikethrough", 6, 1), ("spoiler", 8, 1)])),
        (r"1\.5 [x](https://x.y/\)) `c*`", "MarkdownV2",
         ("1.5 x c*", [("text_link", 4, 1), ("code", 6, 2)])),
        ("😀 *b*", "MarkdownV2", ("😀 b", [("bold", 3, 1)])),
        ("*b* 1.5 (ok)", "Markdown", ("b 1.5 (ok)", [("bold", 0, 1)])),
        ("```python\nx = 1```", "MarkdownV2", ("x = 1", [("pre", 0, 5)])),
    ],
)  # fmt: skip
def test_marks_become_entities(text, mode, expected):
    assert kinds(parse(text, mode)) == expected


@pytest.mark.parametrize(
    ("text", "mode", "reason"),
    [
        ("<b>x", "HTML", 'Can\'t find end tag corresponding to start tag "b"'),
        ("<x>y</x>", "HTML", 'Unsupported start tag "x" at byte offset 0'),
        ("ä<b>y</i>", "HTML", "Unmatched end tag at byte offset 6"),
        ("</b>", "HTML", "Unexpected end tag at byte offset 0"),
        ("1 < 2", "HTML", 'Unsupported start tag ""'),
        ("1.5", "MarkdownV2", "Character '.' is reserved and must be escaped"),
        ("*x", "MarkdownV2", "Can't find end of Bold entity at byte offset 0"),
        ("`x", "MarkdownV2", "Can't find end of Code entity"),
        ("x", "BBCode", "unsupported parse_mode"),
    ],
)
def test_marks_that_do_not_fit_are_refused(text, mode, reason):
    with pytest.raises(ApiError) as caught:
        parse(text, mode)
    assert reason in caught.value.description


def test_plain_text_is_looked_through():
    found = recognise("/help@some_bot @name #tiger a@b.co https://x.y/z. 5/6", [])
    assert [e["type"] for e in found] == ["bot_command", "mention", "hashtag", "email", "url"]


def test_entities_move_with_the_text():
    assert trim("  ab ", [{"type": "bold", "offset": 1, "length": 4}]) == (
        "ab",
        [{"type": "bold", "offset": 0, "length": 2}],
    )


@given(st.text(max_size=60), st.sampled_from(["HTML", "MarkdownV2", "Markdown"]))
def test_whatever_comes_is_parsed_or_refused(text, mode):
    try:
        plain, entities = parse(text, mode)
    except ApiError:
        return
    length = len(plain.encode("utf-16-le", "surrogatepass")) // 2
    assert all(e["offset"] + e["length"] <= length for e in entities)
