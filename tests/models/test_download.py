"""Fetching one file from a host that breaks off, does not resume, or sends another file."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from irene_wyoming.errors import DownloadFailed
from irene_wyoming.models.catalogue import Remote
from irene_wyoming.models.download import PAUSES_S, fetch
from tests.models.host import Host, serving

DATA = Random(1).randbytes(3_000_000)
SUM = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def host() -> Iterator[Host]:
    with serving(Host({"/model.zip": DATA})) as host:
        yield host


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "model.zip"


class Told:
    """Keeps the progress of a download, and does not wait between tries."""

    def __init__(self) -> None:
        self.progress: list[tuple[int, int | None]] = []
        self.slept: list[float] = []

    def fetch(self, host: Host, part: Path, size: int | None = len(DATA), sha256: str = SUM) -> None:
        remote = Remote(f"{host.uri}/model.zip", sha256, size)
        fetch(remote, part, lambda have, total: self.progress.append((have, total)), self.slept.append)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.mark.parametrize("size", [len(DATA), None])
def test_a_file_is_fetched_and_progress_is_told(host: Host, part: Path, told: Told, size: int | None) -> None:
    told.fetch(host, part, size)
    assert part.read_bytes() == DATA
    assert told.progress[-1] == (len(DATA), len(DATA))
    assert [have for have, _ in told.progress] == sorted(have for have, _ in told.progress)


def test_a_connection_that_breaks_off_is_resumed(host: Host, part: Path, told: Told) -> None:
    host.breaks_after = [1_000_000, 500_000]
    told.fetch(host, part)
    assert part.read_bytes() == DATA
    assert [asked for _, asked in host.asked] == [None, "bytes=1000000-", "bytes=1500000-"]
    assert told.slept == list(PAUSES_S[:2])


def test_an_earlier_download_is_resumed(host: Host, part: Path, told: Told) -> None:
    part.write_bytes(DATA[:2_000_000])
    told.fetch(host, part, size=None)
    assert part.read_bytes() == DATA
    assert host.asked == [("/model.zip", "bytes=2000000-")]


def test_a_host_that_cannot_resume_sends_all_of_it(host: Host, part: Path, told: Told) -> None:
    host.resumes = False
    part.write_bytes(bytes(2_000_000))
    told.fetch(host, part)
    assert part.read_bytes() == DATA


@pytest.mark.parametrize("size", [len(DATA), None])
def test_a_whole_file_is_not_fetched_again(host: Host, part: Path, told: Told, size: int | None) -> None:
    part.write_bytes(DATA)
    told.fetch(host, part, size)
    assert host.asked == ([] if size else [("/model.zip", f"bytes={len(DATA)}-")])


def test_a_longer_file_of_that_name_is_fetched_anew(host: Host, part: Path, told: Told) -> None:
    part.write_bytes(DATA + b"more")
    told.fetch(host, part)
    assert part.read_bytes() == DATA


def test_a_wrong_checksum_is_told_with_both_and_the_file_is_removed(host: Host, part: Path, told: Told) -> None:
    with pytest.raises(DownloadFailed, match=rf"is {SUM}, expected {'0' * 64}; the file has been removed"):
        told.fetch(host, part, sha256="0" * 64)
    assert not part.exists()


def test_what_is_missing_is_told_at_once(host: Host, part: Path, told: Told) -> None:
    host.files.clear()
    with pytest.raises(DownloadFailed, match="the host answers 404"):
        told.fetch(host, part)
    assert told.slept == []


def test_a_host_in_trouble_is_asked_again(host: Host, part: Path, told: Told) -> None:
    host.status = [503]
    told.fetch(host, part)
    assert part.read_bytes() == DATA


def test_a_host_that_never_gets_through_keeps_what_is_there_for_later(host: Host, part: Path, told: Told) -> None:
    host.breaks_after = [10_000] * (len(PAUSES_S) + 1)
    with pytest.raises(DownloadFailed, match=r"broke off after 40000 of 3000000 bytes.*\(40000 bytes\) is kept"):
        told.fetch(host, part)
    assert part.read_bytes() == DATA[:40_000]


def test_nobody_listening_is_told(host: Host, part: Path, told: Told) -> None:
    host.uri = "http://127.0.0.1:1"
    with pytest.raises(DownloadFailed, match=r"its host cannot be reached .*refused.*; is the internet there"):
        told.fetch(host, part)
    assert told.slept == []


def test_a_full_disk_is_told_once_and_is_left_as_it_was(host: Host, part: Path, told: Told) -> None:
    part.symlink_to("/dev/full")
    with pytest.raises(DownloadFailed, match=r"model.zip: No space left on device; what had come is removed"):
        told.fetch(host, part)
    assert not part.is_symlink()
    assert len(host.asked) == 1


def test_a_folder_that_may_not_be_written_is_told(host: Host, tmp_path: Path, told: Told) -> None:
    with pytest.raises(DownloadFailed, match=r"model.zip: No such file or directory$"):
        told.fetch(host, tmp_path / "gone" / "model.zip")
    assert len(host.asked) == 1


def test_more_than_expected_is_given_up(host: Host, part: Path, told: Told) -> None:
    with pytest.raises(DownloadFailed, match="larger than 1000 bytes"):
        told.fetch(host, part, size=1000)


def test_another_place_is_followed(host: Host, part: Path, told: Told) -> None:
    host.moved["/model.zip"] = "/elsewhere"
    host.files["/elsewhere"] = DATA
    told.fetch(host, part)
    assert part.read_bytes() == DATA


@pytest.mark.parametrize("place", ["http://[::1/model.zip", "http://nas..local/model.zip"])
def test_another_place_that_is_none_is_told(host: Host, part: Path, told: Told, place: str) -> None:
    host.moved["/model.zip"] = place
    with pytest.raises(DownloadFailed, match=r"model\.zip: its host sends us to an address that cannot be used: "):
        told.fetch(host, part)
    assert len(host.asked) == 1


def test_only_the_web_is_asked(part: Path) -> None:
    with pytest.raises(DownloadFailed, match="https://"):
        fetch(Remote("file:///etc/passwd", SUM, None), part, lambda *_: None)
