"""The report's files, and what stands in them."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from engine.evaluation import charts, tables
from engine.evaluation.estimates import Estimate
from engine.evaluation.evaluating import evaluate_folders, evaluate_vectors
from engine.evaluation.measures import MEASURES
from engine.evaluation.report import chart_png, document, write_report
from engine.evaluation.sheets import sheet_of
from engine.evaluation.trial import Picture

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from engine.evaluation.results import Evaluation


@pytest.fixture(scope="module")
def evaluation(colours: Path) -> Evaluation:
    return evaluate_folders(
        colours / "train", colours / "test", metrics=["l1", "l2", "correlation"], sizes=[4, 16]
    )


@pytest.fixture(scope="module")
def report(evaluation: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report") / "made" / "here"
    files = write_report(evaluation, folder)
    assert files[0] == folder / "report.html"
    assert all(file.is_file() for file in files)
    return folder


def test_json_has_every_measure_of_every_method(report: Path, evaluation: Evaluation) -> None:
    made = json.loads((report / "report.json").read_text("utf-8"))
    assert made == json.loads(json.dumps(document(evaluation)))
    assert list(made) == [
        "schema_version", "protocol", "queries", "gallery", "categories", "chance",
        "copies_left_out", "without_answer", "problems", "seconds", "findings", "recall_levels",
        "methods",
    ]  # fmt: skip
    assert (made["queries"], made["gallery"], made["categories"]) == (6, 15, 3)
    assert [(each["metric"], each["size"]) for each in made["methods"]] == [
        (metric, size) for size in (4, 16) for metric in ("l1", "l2", "correlation")
    ]
    for method, outcome in zip(made["methods"], evaluation.outcomes, strict=True):
        assert list(method["measures"]) == list(MEASURES)
        for name, each in method["measures"].items():
            assert Estimate(**each) == outcome.estimates[name]
            assert each["low"] <= each["value"] + 1e-9
            assert each["high"] >= each["value"] - 1e-9
        assert set(method["map_by_category"]) == {"blue", "green_leaf", "xanh lá"}
        assert len(method["precision_at_recall"]) == len(made["recall_levels"]) == 21
        assert method["ms_per_query"] > 0


def test_csv_has_a_line_for_each_method(report: Path, evaluation: Evaluation) -> None:
    lines = list(csv.DictReader(io.StringIO((report / "report.csv").read_text("utf-8"))))
    assert [line["compared"] for line in lines] == ["4 px"] * 3 + ["16 px"] * 3
    for line, outcome in zip(lines, evaluation.outcomes, strict=True):
        for name in MEASURES:
            assert float(line[name]) == pytest.approx(outcome.estimates[name].value, abs=1e-6)
            assert float(line[f"{name} low"]) <= float(line[name]) <= float(line[f"{name} high"])


def test_page_needs_nothing_but_itself(report: Path) -> None:
    page = (report / "report.html").read_text("utf-8")
    assert not re.search(r"https?://|//cdn|<script|<link|@import|url\(", page)
    sources = re.findall(r'src="([^"]*)"', page)
    assert sources
    for source in sources:
        head, _, data = source.partition(",")
        assert head == "data:image/jpeg;base64"
        assert Image.open(io.BytesIO(base64.b64decode(data))).size == (104, 104)
    for finding in ("On pixels,", "xanh lá", "green leaf", "mAP", "nDCG@10"):
        assert finding in page


def test_drawings_of_the_page_are_well_formed_and_named(report: Path) -> None:
    page = (report / "report.html").read_text("utf-8")
    drawings = re.findall(r"<svg .*?</svg>", page, re.DOTALL)
    assert len(drawings) == 7
    for drawing in drawings:
        root = ET.fromstring(drawing)  # noqa: S314 - our own
        assert root.attrib["aria-label"]
        _, _, width, height = map(float, root.attrib["viewBox"].split())
        for rect in root.iter("rect"):
            assert 0 <= float(rect.attrib["x"]) <= width
            assert 0 <= float(rect.attrib["y"]) <= height


def test_bars_are_as_long_as_their_values(evaluation: Evaluation) -> None:
    root = ET.fromstring(charts.bars(evaluation, "mAP").svg())  # noqa: S314 - our own
    lengths = np.array([float(rect.attrib["width"]) for rect in root.iter("rect")])
    values = np.array([each.estimates["mAP"].value for each in evaluation.outcomes])
    assert len(lengths) == len(values)
    assert lengths / lengths.max() == pytest.approx(values / values.max(), rel=1e-2)


def test_names_from_outside_cannot_break_the_page(tmp_path: Path) -> None:
    nasty = '<img src=x onerror="alert(1)">&'
    pictures = [Picture(f"{n + 1:016x}", nasty if n % 2 else "plain") for n in range(8)]
    vectors = np.random.default_rng(0).standard_normal((8, 4)).astype(np.float32)
    found = evaluate_vectors(pictures, vectors, encoder="<b>x</b>", metrics=["clip"])
    page = write_report(found, tmp_path)[0].read_text("utf-8")
    assert "<img src=x" not in page
    assert "<b>x" not in page
    assert "&lt;img src=x" in page


@pytest.mark.parametrize("protocol", ["train-test", "leave-one-out"])
def test_png_files_are_pictures_a_chat_can_show(
    report: Path, evaluation: Evaluation, colours: Path, protocol: str
) -> None:
    if protocol == "leave-one-out":
        evaluation = evaluate_folders(colours / "train", metrics=["l1"], sizes=[8])
    chart = Image.open(io.BytesIO(chart_png(evaluation)))
    assert chart.format == "PNG"
    assert chart.width + chart.height <= 10_000
    assert max(chart.size) / min(chart.size) <= 20
    names = {file.name for file in report.glob("*.png")}
    assert {"bars-map.png", "curves.png", "classes.png", "speed.png", "sheet-l1-4-px.png"} <= names
    for file in report.glob("*.png"):
        with Image.open(file) as picture:
            picture.load()
            colours_used = picture.convert("RGB").getcolors(1 << 24)
            assert len(colours_used) > 5, f"{file.name} is empty"


def test_sheet_shows_the_best_and_the_worst_queries(evaluation: Evaluation) -> None:
    outcome = evaluation.outcomes[0]
    sheet = sheet_of(evaluation, outcome)
    best, worst = ([line.precision for line in lines] for lines in (sheet.best, sheet.worst))
    assert best == sorted(outcome.of("mAP").tolist(), reverse=True)[:3]
    assert worst == sorted(outcome.of("mAP").tolist())[:3]
    for line in (*sheet.best, *sheet.worst):
        for answer in line.answers:
            assert answer.is_right == (answer.picture.category == line.query.picture.category)


def test_findings_name_the_best_and_call_chance_chance(evaluation: Evaluation) -> None:
    best = evaluation.best("pixels")
    [sentence] = tables.findings(evaluation)
    assert sentence.startswith(f"On pixels, {best.method.label} is best")
    assert f"mAP {best.estimates['mAP'].value:.3f}" in sentence
    assert evaluation.best("embeddings") is None
    assert evaluation.ordered[0] is best


def test_clear_lead_is_called_one() -> None:
    pictures = [Picture(f"{n + 1:016x}", f"c{n % 6}") for n in range(120)]
    dice = np.random.default_rng(1)
    # The direction of a vector tells its category, its length says nothing.
    vectors = dice.standard_normal((120, 6)).astype(np.float32) * 0.05
    vectors[np.arange(120), np.arange(120) % 6] += 1
    vectors *= dice.uniform(0.2, 5, (120, 1)).astype(np.float32)
    found = evaluate_vectors(pictures, vectors, encoder="x", metrics=["clip", "clip-l2"])
    [sentence] = tables.findings(found)
    assert "clip · x is best" in sentence
    assert "ahead of all others by more than chance" in sentence
    assert found.equals(found.best("embeddings")) == []


def test_chat_table_is_narrow_and_aligned(evaluation: Evaluation) -> None:
    lines = tables.text_table(evaluation).splitlines()
    assert len(lines) == 1 + len(evaluation.outcomes)
    assert max(map(len, lines)) <= 40
    assert lines[0].split() == ["top-1", "P@5", "mAP", "ms"]
    assert len({line.rindex("  ") for line in lines}) <= 2


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_fits_a_phone_and_a_desk(report: Path, chromium: Browser, scheme: str) -> None:
    for width in (360, 1280):
        page = chromium.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        complaints: list[str] = []
        page.on("console", lambda message, said=complaints: said.append(message.text))
        page.goto(report.joinpath("report.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        style = "(style => [style.backgroundColor, style.color])(getComputedStyle(document.body))"
        ground, ink = (
            sum(int(part) for part in re.findall(r"\d+", colour)[:3])
            for colour in page.evaluate(style)
        )
        assert (ground > ink) == (scheme == "light")
        assert abs(ground - ink) > 450
        assert complaints == []
        page.close()


@pytest.mark.browser
def test_printed_page_shows_all_queries_on_white(report: Path, chromium: Browser) -> None:
    page = chromium.new_page(color_scheme="dark")
    page.goto(report.joinpath("report.html").as_uri())
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    hidden = page.evaluate(
        "[...document.querySelectorAll('details img')].filter(i => !i.checkVisibility()).length"
    )
    assert hidden == 0
    page.close()
