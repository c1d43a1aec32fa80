"""Which language a text is in, and who reads it."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from engine.encoders.languages import language_of, reads
from engine.errors import SettingsError

VIETNAMESE = [
    "con mèo", "con chó trắng", "bãi biển lúc hoàng hôn", "quả táo đỏ", "tàu hỏa", "xe máy", "đèn",
    "núi", "học sinh", "người đi xe máy -mưa", "nguoi di xe may", "con meo", "hoa hong", "CON HỔ",
]  # fmt: skip
OTHERS = [
    "red car", "mountain at night", "a man in May", "song of the sea",
    "la plage à côté de la forêt",
    "crème brûlée", "la niña está en la montaña", "señor con sombrero", "ein süßes Mädchen",
    "uma praia com árvores e não", "são paulo", "già visto", "đevojka", "żółty kot", "猫", "собака",
    "",
]  # fmt: skip


@pytest.mark.parametrize("text", VIETNAMESE)
def test_vietnamese_is_told_by_its_letters_and_words(text: str) -> None:
    assert language_of(text) == "vi"
    assert language_of(unicodedata.normalize("NFD", text)) == "vi"


@pytest.mark.parametrize("text", OTHERS)
def test_other_languages_are_not_taken_for_vietnamese(text: str) -> None:
    assert language_of(text) is None


@pytest.mark.parametrize(
    ("encoder", "is_read"),
    [
        ("clip", False),
        ("CLIP-fast", False),
        ("clip-multilingual", True),
        ("open_clip:ViT-B-32/laion2b_s34b_b79k", False),
        ("open_clip:roberta-ViT-B-32/laion2b_s12b_b32k", False),
        ("open_clip:xlm-roberta-base-ViT-B-32/laion5b_s13b_b90k", True),
        ("open_clip:ViT-B-16-SigLIP-i18n-256/webli", True),
        ("open_clip:local-dir:somewhere", True),
        ("timm:resnet18", False),
        ("none", False),
    ],
)
def test_encoders_that_read_vietnamese_are_known(encoder: str, is_read: bool) -> None:
    assert reads(encoder, "con mèo") is is_read
    assert reads(encoder, "a cat")


def test_only_real_encoders_read() -> None:
    with pytest.raises(SettingsError):
        reads("clap", "con mèo")


def test_the_texts_of_the_bot_are_told_apart() -> None:
    import tomllib

    folder = Path(__file__).resolve().parents[3] / "bot" / "i18n"
    for language, expected in (("vi", "vi"), ("en", None)):
        table = tomllib.loads((folder / f"{language}.toml").read_text("utf-8"))
        sentences = [text for text in table["error"].values() if not text.startswith("{")]
        told = [language_of(text) == expected for text in sentences]
        assert sum(told) == len(told)
