from irene_wyoming.config.wake import SatelliteConfig
from irene_wyoming.engines.base import WakeSettings
from irene_wyoming.servers.satellites import Satellites

STRICT, EAGER, NEAR = WakeSettings(threshold=0.9), WakeSettings(threshold=0.2), WakeSettings(min_level_dbfs=-40)


def satellite(settings: WakeSettings, **models: WakeSettings) -> SatelliteConfig:
    return SatelliteConfig(settings, models)


def test_where_nothing_is_set_the_engine_decides() -> None:
    assert Satellites({}, {}).settings(["alexa"], "192.168.1.20", "kitchen") == {}


def test_what_is_set_for_a_word_holds_for_every_satellite_and_no_other_word() -> None:
    known = Satellites({"alexa": STRICT}, {})
    assert known.settings(["okay_nabu", "alexa"], "192.168.1.20") == {"alexa": STRICT}
    assert known.settings(["okay_nabu", "alexa"], "") == {"alexa": STRICT}


def test_a_satellites_own_values_go_before_those_of_all_and_leave_the_others() -> None:
    known = Satellites({"alexa": WakeSettings(0.6, 2)}, {"192.168.1.20": satellite(NEAR, alexa=EAGER)})
    assert known.settings(["alexa", "okay_nabu"], "192.168.1.20") == {
        "alexa": WakeSettings(0.2, 2, None, -40),
        "okay_nabu": NEAR,
    }
    assert known.settings(["alexa"], "192.168.1.21") == {"alexa": WakeSettings(0.6, 2)}


def test_the_smallest_network_that_has_the_address_wins_and_a_name_before_it() -> None:
    known = Satellites(
        {},
        {
            "192.168.0.0/16": satellite(STRICT),
            "192.168.7.0/24": satellite(NEAR),
            "fd00::/8": satellite(STRICT),
            "kitchen": satellite(EAGER),
        },
    )
    assert known.settings(["a"], "192.168.1.1") == {"a": STRICT}
    assert known.settings(["a"], "192.168.7.1") == {"a": NEAR}
    assert known.settings(["a"], "::ffff:192.168.7.1") == {"a": NEAR}
    assert known.settings(["a"], "fd00::1%eth0") == {"a": STRICT}
    assert known.settings(["a"], "192.168.7.1", "kitchen") == {"a": EAGER}
    assert known.settings(["a"], "", "kitchen") == {"a": EAGER}
    assert known.settings(["a"], "192.168.7.1", "192.168.0.0/16") == {"a": NEAR}
    assert known.settings(["a"], "10.0.0.1", "cellar") == {}
