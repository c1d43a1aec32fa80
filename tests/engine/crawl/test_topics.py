"""Topic lists: the project's own, those of people, and those that are none."""

from __future__ import annotations

import pytest

from engine.crawl.topics import TopicsError, known_topics, read_topics


def test_the_projects_own_list_has_its_133_topics():
    topics = known_topics()
    assert len(topics) == 133
    assert topics["tiger"] == "animal"


def test_terms_keep_their_order_and_category(tmp_path):
    path = tmp_path / "list.toml"
    path.write_text('b = ["hổ", "x"]\na = ["y"]\n')
    assert list(read_topics(path).items()) == [("hổ", "b"), ("x", "b"), ("y", "a")]
    path = tmp_path / "list.txt"
    path.write_text("# words\nhổ\n\nred car\n")
    assert read_topics(path) == {"hổ": "hổ", "red car": "red car"}


@pytest.mark.parametrize("text", ["a = 1", "a = [1]", "a = [", "\udcff"])
def test_what_is_no_list_is_refused_with_its_name(tmp_path, text):
    path = tmp_path / "list.toml"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(TopicsError, match=r"list\.toml"):
        read_topics(path)
    with pytest.raises(TopicsError):
        read_topics(tmp_path / "absent.toml")
