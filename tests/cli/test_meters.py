from irene_wyoming.app.scores import Moment
from irene_wyoming.cli.meters import Lines, Meters


def moment(at_s: float, score: float, *heard: str) -> Moment:
    return Moment(at_s, -35.0, {"alexa": score}, heard)


def test_a_meter_shows_score_peak_and_threshold() -> None:
    view = Meters({"alexa": 0.5, "hey_jarvis": 0.95}, width=20)
    assert view.lines()[1] == "alexa      [          |         ] 0.00 peak 0.00"
    view.update(moment(0.1, 0.8, "alexa"))
    view.update(moment(0.2, 0.2))
    assert view.lines() == [
        "level      [##########          ]   -35 dBFS",
        "alexa      [####      |     .   ] 0.20 peak 0.80  heard",
        "hey_jarvis [                   |] 0.00 peak 0.00",
    ]


def test_a_peak_and_a_detection_are_shown_for_a_while() -> None:
    view = Meters({"alexa": 0.5})
    view.update(moment(1, 0.8, "alexa"))
    view.update(moment(2, 0.1))
    assert "peak 0.80  heard" in view.lines()[1]
    view.update(moment(5, 0.1))
    assert view.lines()[1].endswith("0.10 peak 0.10")


def test_a_line_tells_the_peaks_of_its_second_and_what_was_heard() -> None:
    lines = Lines()
    assert lines.update(moment(0.5, 0.9, "alexa")) == ["    0.50 s  heard alexa, score 0.90, -35 dBFS"]
    assert lines.update(moment(1.0, 0.1)) == ["    1.00 s   -35 dBFS  alexa 0.90"]
    assert lines.update(moment(2.0, 0.1)) == ["    2.00 s   -35 dBFS  alexa 0.10"]
