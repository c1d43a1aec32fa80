"""Formatted text: `parse_mode` to plain text and entities, and what is recognised in plain text.

Offsets and lengths are in UTF-16 units, as everywhere in the Bot API.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from bot.playground.errors import bad_request

JSON = dict[str, Any]

_TAGS = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline",
    "ins": "underline", "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough",
    "tg-spoiler": "spoiler", "span": "spoiler", "a": "text_link", "code": "code", "pre": "pre",
    "blockquote": "blockquote", "tg-emoji": "custom_emoji",
}  # fmt: skip
_TAG = re.compile(r"<(/?)([a-zA-Z][\w-]*)([^<>]*)>|<")
_ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_LINK_TARGET = re.compile(r"\]\(((?:\\.|[^\\)])*)\)")
_MARKS = {"*": "bold", "_": "italic", "__": "underline", "~": "strikethrough", "||": "spoiler"}
_RESERVED = frozenset("_*[]()~`>#+-=|{}.!")
_FOUND = re.compile(
    r"(?<![\w/])(?P<bot_command>/[a-zA-Z0-9_]{1,64}(?:@\w{3,32})?)(?![\w/])"
    r"|(?P<url>https?://[^\s<>\"]+[^\s<>\".,;:!?)])"
    r"|(?<!\w)(?P<email>[\w.+-]+@[\w-]+\.[\w.-]*\w)"
    r"|(?<![\w@])(?P<mention>@\w{4,32})"
    r"|(?<!\w)(?P<hashtag>#\w*[^\W\d]\w*)"
)


def units(text: str) -> int:
    """Length in UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


@dataclass(slots=True)
class _Builder:
    """Text as it grows, with the entities that are open."""

    text: list[str] = field(default_factory=list)
    length: int = 0
    open: list[tuple[str, int, JSON]] = field(default_factory=list)
    entities: list[JSON] = field(default_factory=list)

    def add(self, text: str) -> None:
        self.text.append(text)
        self.length += units(text)

    def begin(self, mark: str, **extra: object) -> None:
        self.open.append((mark, self.length, extra))

    def end(self, kind: str, **more: object) -> None:
        _, offset, extra = self.open.pop()
        if self.length > offset:
            entity = {"type": kind, "offset": offset, "length": self.length - offset}
            self.entities.append({**entity, **extra, **more})

    def result(self) -> tuple[str, list[JSON]]:
        order = sorted(self.entities, key=lambda entity: (entity["offset"], -entity["length"]))
        return "".join(self.text), order


def parse(text: str, mode: str) -> tuple[str, list[JSON]]:
    """Plain text and entities of a marked text.

    Args:
        text: With marks.
        mode: `HTML`, `MarkdownV2`, `Markdown` (any case) or empty.

    Raises:
        ApiError: The marks do not fit together, or the mode is unknown.
    """
    match mode.lower():
        case "":
            return text, []
        case "html":
            return _html(text)
        case "markdownv2":
            return _markdown(text, legacy=False)
        case "markdown":
            return _markdown(text, legacy=True)
    raise bad_request("unsupported parse_mode")


def recognise(text: str, entities: list[JSON]) -> list[JSON]:
    """Add commands, mentions, links and hashtags found in plain text to the given entities."""
    taken = [(e["offset"], e["offset"] + e["length"]) for e in entities
             if e["type"] in {"code", "pre", "text_link"}]  # fmt: skip
    found = []
    for match in _FOUND.finditer(text):
        start = units(text[: match.start()])
        end = start + units(match.group())
        if not any(start < last and first < end for first, last in taken):
            found.append({"type": match.lastgroup, "offset": start, "length": end - start})
    return sorted([*entities, *found], key=lambda e: (e["offset"], -e["length"]))


def trim(text: str, entities: list[JSON]) -> tuple[str, list[JSON]]:
    """Cut white space at both ends, as the server does, and move the entities with it."""
    kept = text.strip()
    lead = units(text[: len(text) - len(text.lstrip())])
    last = units(kept)
    moved = []
    for entity in entities:
        start = max(entity["offset"] - lead, 0)
        end = min(entity["offset"] - lead + entity["length"], last)
        if end > start:
            moved.append({**entity, "offset": start, "length": end - start})
    return kept, moved


def _broken(reason: str) -> Exception:
    return bad_request(f"can't parse entities: {reason}")


def _bytes_before(text: str, position: int) -> int:
    return len(text[:position].encode())


def _html(text: str) -> tuple[str, list[JSON]]:
    built = _Builder()
    position = 0
    for match in _TAG.finditer(text):
        built.add(unescape(text[position : match.start()]))
        position = match.end()
        at = _bytes_before(text, match.start())
        closing, name, rest = match.group(1), (match.group(2) or "").lower(), match.group(3) or ""
        if closing:
            _close_tag(built, name, at)
        elif name not in _TAGS:
            raise _broken(f'Unsupported start tag "{name}" at byte offset {at}')
        else:
            given = {m[1].lower(): unescape(m[2] or m[3] or "") for m in _ATTRIBUTE.finditer(rest)}
            if name == "span" and given.get("class") != "tg-spoiler":
                raise _broken(f'Tag "span" must have class "tg-spoiler" at byte offset {at}')
            extra: JSON = {"url": given.get("href", "")} if name == "a" else {}
            if name == "tg-emoji":
                extra = {"custom_emoji_id": given.get("emoji-id", "")}
            built.begin(name, **extra)
    built.add(unescape(text[position:]))
    if built.open:
        raise _broken(f'Can\'t find end tag corresponding to start tag "{built.open[-1][0]}"')
    return built.result()


def _close_tag(built: _Builder, name: str, at: int) -> None:
    if not built.open:
        raise _broken(f"Unexpected end tag at byte offset {at}")
    expected = built.open[-1][0]
    if name != expected:
        raise _broken(
            f'Unmatched end tag at byte offset {at}, expected "</{expected}>", found "</{name}>"'
        )
    built.end(_TAGS[name])


def _markdown(text: str, *, legacy: bool) -> tuple[str, list[JSON]]:
    built = _Builder()
    position = 0
    while position < len(text):
        if text[position] == "\\" and position + 1 < len(text):
            built.add(text[position + 1])
            position += 2
        elif text[position] == "`":
            position = _code(built, text, position)
        elif mark := _mark_at(text, position, built, legacy=legacy):
            if built.open and built.open[-1][0] == mark:
                built.end(_MARKS[mark])
            else:
                built.begin(mark)
            position += len(mark)
        elif text[position] == "[":
            built.begin("[")
            position += 1
        elif text[position] == "]" and built.open and built.open[-1][0] == "[":
            position = _link(built, text, position)
        else:
            _must_be_plain(text, position, legacy=legacy)
            built.add(text[position])
            position += 1
    if built.open:
        mark, offset, _ = built.open[-1]
        kind = _MARKS.get(mark, "text_link").title().replace("_", "")
        raise _broken(f"Can't find end of {kind} entity at byte offset {offset}")
    return built.result()


def _mark_at(text: str, position: int, built: _Builder, *, legacy: bool) -> str:
    if legacy:
        mark = text[position] if text[position] in "*_" else ""
        return "" if mark and built.open and built.open[-1][0] != mark else mark
    two = text[position : position + 2]
    if two in {"__", "||"}:
        return two
    return text[position] if text[position] in "*_~" else ""


def _code(built: _Builder, text: str, position: int) -> int:
    mark, kind = ("```", "pre") if text.startswith("```", position) else ("`", "code")
    end = text.find(mark, position + len(mark))
    if end < 0:
        at = _bytes_before(text, position)
        raise _broken(f"Can't find end of {kind.title()} entity at byte offset {at}")
    inside = re.sub(r"\\(.)", r"\1", text[position + len(mark) : end])
    language = ""
    if kind == "pre" and (first := re.match(r"(\w+)\n", inside)):
        language, inside = first[1], inside[first.end() :]
    built.begin(mark, **({"language": language} if language else {}))
    built.add(inside)
    built.end(kind)
    return end + len(mark)


def _link(built: _Builder, text: str, position: int) -> int:
    target = _LINK_TARGET.match(text, position)
    if target is None:
        built.open.pop()
        return position + 1
    address = re.sub(r"\\(.)", r"\1", target[1])
    if address.startswith("http"):
        built.end("text_link", url=address)
    else:
        built.open.pop()
    return target.end()


def _must_be_plain(text: str, position: int, *, legacy: bool) -> None:
    character = text[position]
    is_quote = character == ">" and (position == 0 or text[position - 1] == "\n")
    if legacy or character not in _RESERVED or is_quote:
        return
    raise _broken(
        f"Character '{character}' is reserved and must be escaped with the preceding '\\'"
    )
