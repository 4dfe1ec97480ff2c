"""The tour of the code names every module, and every module says what it is for."""

from deploy.tour import ROOT, modules, sentence, tour


def test_the_tour_is_as_the_code_is() -> None:
    assert (ROOT / "docs" / "tour.md").read_text() == tour(), "run `make tour`"


def test_every_module_says_what_it_answers() -> None:
    assert [str(path) for path in modules() if not sentence(path)] == []
