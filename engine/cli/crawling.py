"""`lookalike crawl` and `lookalike export`: filling a library from the web, and taking it along."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli import output, progress

if TYPE_CHECKING:
    from collections.abc import Mapping
    from threading import Event

    from engine.crawl.crawler import Crawler
    from engine.crawl.report import CrawlProgress, CrawlReport

INTERRUPTED = 130
"""Exit code of a program that Ctrl-C ended, as shells have it."""

exports = typer.Typer(
    help="Take address lists or pictures out of the library.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def crawl(
    topics: Annotated[
        list[str] | None,
        typer.Argument(metavar="TOPIC", help="What to search for, in any language."),
    ] = None,
    *,
    wanted: Annotated[
        int, typer.Option("--number", "-n", min=1, max=10_000, help="New pictures for each topic.")
    ] = 20,
    source: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|FILE|FOLDER",
            help="openverse, commons, flickr, freeimages, a file of addresses or a folder; "
            "may be repeated. By default those of CRAWL_SOURCES.",
        ),
    ] = None,
    topic_list: Annotated[
        Path | None,
        typer.Option(
            "--topics",
            metavar="FILE",
            help="A list of topics (TOML or text).",
            exists=True,
            dir_okay=False,
            readable=True,
        ),
    ] = None,
    urls_only: Annotated[
        bool,
        typer.Option("--urls-only", help="Only take down addresses; fetched by the next crawl."),
    ] = False,
    on_topic: Annotated[
        bool,
        typer.Option("--on-topic", help="Refuse what does not show the topic (CLIP's text side)."),
    ] = False,
) -> None:
    """Fill categories with pictures from the web.

    Pictures that are broken, too small, blurred or there already are left out; licence, creator and
    page are kept with each. Ctrl-C loses nothing that was done. Exit code 1 when nothing could be
    added.
    """
    from engine.config import load_settings
    from engine.crawl.crawler import Crawler
    from engine.crawl.fetch import Fetcher
    from engine.crawl.sources import open_sources
    from engine.crawl.topics import read_topics
    from engine.library import Library

    chosen = list(
        dict.fromkeys([*(topics or []), *(read_topics(topic_list) if topic_list else [])])
    )
    if not chosen:
        raise typer.BadParameter("name a topic, or a list with --topics", param_hint="TOPIC")
    settings = load_settings()
    names = source or []
    sources = open_sources(settings, names)
    fetcher = Fetcher(settings, folders=[Path(name) for name in names if Path(name).is_dir()])
    try:
        with Library.open(settings, write=True) as library, progress.interruptible() as stop:
            crawler = Crawler(library, fetcher, sources)
            reports = _crawl_all(
                crawler, chosen, wanted, stop, urls_only=urls_only, on_topic=on_topic
            )
    finally:
        fetcher.close()
    _tell(reports, urls_only=urls_only)
    if stop.is_set():
        raise typer.Exit(INTERRUPTED)
    if not any(report.counts.found if urls_only else report.counts.added for report in reports):
        output.note("Nothing could be added.")
        raise typer.Exit(1)


@exports.command("urls")
def export_urls(
    target: Annotated[
        Path, typer.Argument(metavar="OUT", help="A folder, or a file ending in .json.")
    ],
) -> None:
    """Write the addresses of crawled pictures.

    To a folder: a text file for each topic. To a .json file: category, then term, then addresses.
    """
    from engine import export
    from engine.config import load_settings
    from engine.crawl.topics import known_topics
    from engine.library import Library

    with Library.open(load_settings(), write=False) as library:
        counts = export.export_urls(library, target, known_topics())
    addresses = output.counted(sum(counts.values()), "address", "addresses")
    output.say(f"{addresses} of {output.counted(len(counts), 'topic')} written to {target}.")


@exports.command("images")
def export_images(
    target: Annotated[
        Path, typer.Argument(metavar="OUT", help="A new folder; with --zip the archive's name.")
    ],
    *,
    train: Annotated[int, typer.Option(min=0, help="Training pictures for each category.")] = 19,
    test: Annotated[int, typer.Option(min=0, help="Test pictures for each category.")] = 1,
    as_zip: Annotated[bool, typer.Option("--zip", help="Write one ZIP archive.")] = False,
) -> None:
    """Copy pictures to train/CATEGORY/ and test/CATEGORY/.

    The same library always gives the same split. credits.csv says whose the pictures are.
    """
    from engine import export
    from engine.config import load_settings
    from engine.library import Library

    with (
        Library.open(load_settings(), write=False) as library,
        progress.display() as display,
    ):
        done = export.export_images(
            library,
            target,
            train=train,
            test=test,
            as_zip=as_zip,
            progress=lambda now, every: display.show(now, every, "Exporting"),
        )
    if done.missing:
        output.note(f"{output.counted(len(done.missing), 'picture')} left out: the file is gone.")
    categories = output.counted(done.categories, "category", "categories")
    output.say(f"{done.train:,} training and {done.test:,} test pictures of {categories} exported.")


def _crawl_all(
    crawler: "Crawler",
    topics: list[str],
    wanted: int,
    stop: "Event",
    *,
    urls_only: bool,
    on_topic: bool,
) -> "list[CrawlReport]":
    reports = []
    with progress.display() as display:
        for topic in topics:
            if stop.is_set():
                break
            report = crawler.run(
                topic,
                wanted=wanted,
                urls_only=urls_only,
                on_topic_only=on_topic,
                progress=lambda now: _show(display, now, urls_only=urls_only),
                stop=stop,
            )
            reports.append(report)
    return reports


def _show(display: progress.Display, now: "CrawlProgress", *, urls_only: bool) -> None:
    counts = now.counts
    done = counts.found if urls_only else counts.added
    refused, failed = sum(counts.refused.values()), sum(counts.failed.values())
    where = f" ({now.source})" if now.source else ""
    words = f"{now.topic}{where}: {counts.found} found, {refused} refused, {failed} failed"
    display.show(done, now.wanted, words)


def _tell(reports: "list[CrawlReport]", *, urls_only: bool) -> None:
    columns = ["topic", "#found", "#added", "#refused", "#failed", "#known", "why"]
    rows = []
    for report in reports:
        counts = report.counts
        refused, failed = sum(counts.refused.values()), sum(counts.failed.values())
        numbers = (counts.found, counts.added, refused, failed, counts.known)
        why = _reasons({**counts.refused, **counts.failed})
        rows.append([report.topic, *map(str, numbers), why])
    output.show_table(columns, rows)
    for report in reports:
        for trouble in report.troubles:
            output.note(f"{report.topic}: {trouble.message}")
    without = next((report.without_encoder for report in reports if report.without_encoder), None)
    if without:
        output.note(f"{without} The pictures can be found by their pixels (l1) until then.")
    if urls_only:
        output.note("Fetch them with: lookalike crawl TOPIC. List them with: lookalike export urls")


def _reasons(counts: "Mapping[str, int]") -> str:
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    words = ((reason.removeprefix("fetch_").replace("_", " "), n) for reason, n in ordered)
    return ", ".join(f"{number} {reason}" for reason, number in words)
