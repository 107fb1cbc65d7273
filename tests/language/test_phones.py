"""Phones and alignment: similar sounds are near, others far, in every language."""

import numpy as np
import pytest

from irene_wyoming.language.alignment import apart
from irene_wyoming.language.phones import all_phones, phones


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "moka", "mocha"),
        ("en", "whole", "hole"),
        ("en", "nite", "night"),
        ("en", "site", "sight"),
        ("de", "kueche", "küche"),
        ("de", "fater", "vater"),
        ("fr", "bureaux", "bureau"),
        ("fr", "cave", "kave"),
        ("es", "vaca", "baca"),
        ("es", "habitación", "abitasion"),
        ("it", "chiave", "kiave"),
        ("nl", "hond", "hont"),
        ("nl", "zolder", "solder"),
    ],
)
def test_what_is_said_alike_has_the_same_phones(language: str, one: str, other: str) -> None:
    assert all_phones(one, language) == all_phones(other, language)


@pytest.mark.parametrize(
    ("heard", "near", "far"),
    [
        ("jar gross", "dark roast", "light roast"),
        ("lamb", "lamp", "light"),
        ("row stubble shop", "roast double shot", "roast single shot"),
        ("mocker", "mocha", "latte"),
        ("immediate", "a medium", "a large"),
    ],
)
def test_what_was_meant_is_nearer_than_what_was_not(heard: str, near: str, far: str) -> None:
    costs = apart(all_phones(heard), [all_phones(near), all_phones(far)])
    assert costs[0] < 0.7 * costs[1]


def test_costs_are_those_of_one_at_a_time_and_none_for_the_same() -> None:
    texts = ["", "a", "lAmp", "kItCEn", "lAmpS"]
    together = apart("lamp", texts)
    assert np.allclose(together, [apart("lamp", [text])[0] for text in texts])
    assert apart("kItCEn", ["kItCEn"])[0] == 0
    assert apart("", [])[:].size == 0


def test_letters_of_other_scripts_are_themselves_only() -> None:
    assert phones("кухня", "ru") == "кухня"
    assert apart("кухня", ["кухня"])[0] == 0
    assert apart("кухня", ["кухнЯ", "ванна"])[1] > 1
