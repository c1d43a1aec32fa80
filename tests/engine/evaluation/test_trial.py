"""Who is asked among whom, and at which places the right answers come."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import LookalikeError
from engine.evaluation.ranks import first, padded, ranks_of
from engine.evaluation.trial import Picture, Trial


def pictures(categories: str, start: int = 1) -> list[Picture]:
    return [Picture(f"{start + n:016x}", letter) for n, letter in enumerate(categories)]


def test_left_out_query_is_never_its_own_answer() -> None:
    trial = Trial.of(pictures("aabab"))
    for place, own, right in zip(range(5), trial.own, trial.right, strict=True):
        assert own == place
        assert own not in right
        assert {trial.gallery[at].category for at in right} == {trial.queries[place].category}
    assert trial.relevant.tolist() == [2, 2, 1, 2, 1]
    assert trial.protocol == "leave-one-out"


def test_query_that_lies_in_the_gallery_by_content_does_not_find_itself() -> None:
    gallery = pictures("aab")
    queries = [Picture(gallery[1].id, "a"), *pictures("b", start=50)]
    trial = Trial.of(gallery, queries)
    assert trial.own.tolist() == [1, -1]
    assert [right.tolist() for right in trial.right] == [[0], [2]]


def test_pictures_without_an_answer_are_not_asked_but_counted() -> None:
    trial = Trial.of(pictures("aabc"))
    assert [each.category for each in trial.queries] == ["a", "a"]
    assert trial.query_rows.tolist() == [0, 1]
    assert trial.without_answer == 2
    with pytest.raises(LookalikeError, match="nothing to evaluate"):
        Trial.of(pictures("abc"))
    with pytest.raises(LookalikeError):
        Trial.of(pictures("ab"), pictures("cd", start=9))


def test_sample_is_random_yet_always_the_same_and_takes_only_what_has_an_answer() -> None:
    many = pictures("ab" * 100 + "c")
    once, again = (Trial.of(many, sample=30) for _ in range(2))
    assert [each.id for each in once.queries] == [each.id for each in again.queries]
    assert len(once.queries) == 30
    assert once.query_rows.tolist() != list(range(30))
    assert len(Trial.of(many, sample=1000).queries) == 200


def test_chance_is_the_share_of_right_answers() -> None:
    assert Trial.of(pictures("aabb")).chance == pytest.approx(1 / 3)
    assert Trial.of(pictures("aabb"), pictures("a", start=9)).chance == pytest.approx(1 / 2)


@given(st.lists(st.integers(0, 6), min_size=1, max_size=40), st.data())
@settings(max_examples=200, deadline=None)
def test_ranks_are_those_of_a_full_sort_with_ties_by_id(values: list[int], data) -> None:
    costs = np.array([np.inf if value == 6 else value for value in values], float)
    order = np.array(data.draw(st.permutations(range(len(values)))))
    right = np.array(sorted(data.draw(st.sets(st.integers(0, len(values) - 1), min_size=1))))
    places = np.empty(len(values))
    places[np.lexsort((order, costs))] = np.arange(1, len(values) + 1)
    places[costs == np.inf] = np.inf
    assert ranks_of(costs, right, order).tolist() == sorted(places[right].tolist())
    best = first(costs, order, 5)
    sorted_ = [at for at in np.lexsort((order, costs)).tolist() if costs[at] < np.inf]
    assert [at for at in best.tolist() if at >= 0] == sorted_[:5]


def test_rows_are_filled_up_with_what_was_not_found() -> None:
    table = padded([np.array([1.0, 2.0]), np.array([3.0])])
    assert table.tolist() == [[1.0, 2.0], [3.0, np.inf]]
