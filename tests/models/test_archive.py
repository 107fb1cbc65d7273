"""Archives from the network: which are unpacked and which refused."""

import io
import random
import stat
import tarfile
import zipfile
from pathlib import Path
from typing import Literal

import pytest

from irene_wyoming.errors import DownloadFailed
from irene_wyoming.models import archive
from irene_wyoming.models.archive import is_archive, unpack


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as out:
        for name, data in files.items():
            out.writestr(name, data)
    return path


def tarred(path: Path, files: dict[str, bytes], kind: bytes = tarfile.REGTYPE) -> Path:
    with tarfile.open(path, "w:gz") as out:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.type, info.linkname = len(data), kind, "/etc/passwd"
            out.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize("make", [zipped, tarred])
def test_the_only_folder_inside_is_the_model(tmp_path: Path, make: type) -> None:
    packed = make(tmp_path / "packed", {"model/am/final.mdl": b"a", "model/README": b"b"})
    found = unpack(packed, tmp_path / "new")
    assert found == tmp_path / "new" / "model"
    assert (found / "am" / "final.mdl").read_bytes() == b"a"
    assert is_archive(packed)


@pytest.mark.parametrize("make", [zipped, tarred])
def test_files_without_a_folder_are_the_model(tmp_path: Path, make: type) -> None:
    packed = make(tmp_path / "packed", {"model.bin": b"a", "config.json": b"b"})
    assert unpack(packed, tmp_path / "new") == tmp_path / "new"


@pytest.mark.parametrize("make", [zipped, tarred])
@pytest.mark.parametrize("name", ["../out", "a/../../out", "/tmp/out", "a\\..\\out"])
def test_a_file_that_leads_out_of_the_folder_is_refused(tmp_path: Path, make: type, name: str) -> None:
    with pytest.raises(DownloadFailed, match="leads out of the folder"):
        unpack(make(tmp_path / "packed", {name: b"x"}), tmp_path / "new")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_a_link_or_a_device_in_a_tar_is_refused(tmp_path: Path, kind: bytes) -> None:
    with pytest.raises(DownloadFailed, match="not a plain file"):
        unpack(tarred(tmp_path / "packed", {"link": b""}, kind), tmp_path / "new")


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "packed", "w") as out:
        out.writestr(info, "/etc/passwd")
    with pytest.raises(DownloadFailed, match="not a plain file"):
        unpack(tmp_path / "packed", tmp_path / "new")


def test_too_much_inside_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = zipped(tmp_path / "packed", {"a": bytes(600), "b": bytes(600)})
    monkeypatch.setattr(archive, "MOST_BYTES", 1_000)
    with pytest.raises(DownloadFailed, match="more than"):
        unpack(packed, tmp_path / "new")


@pytest.mark.parametrize("mode", ["w:xz", "w:gz", "w:bz2"])
def test_a_damaged_tar_is_told_wherever_the_damage_is(tmp_path: Path, mode: Literal["w:xz", "w:gz", "w:bz2"]) -> None:
    (tmp_path / "model").write_bytes(random.Random(1).randbytes(20_000))
    with tarfile.open(tmp_path / "packed", mode) as out:
        out.add(tmp_path / "model", "model")
    whole = (tmp_path / "packed").read_bytes()
    told = 0
    for at in range(0, len(whole), len(whole) // 40):
        for name, content in (("cut", whole[:at]), ("changed", whole[:at] + b"\x5a" * 8 + whole[at + 8 :])):
            (tmp_path / name).write_bytes(content)
            try:
                unpack(tmp_path / name, tmp_path / f"{name}-{at}")
            except DownloadFailed as error:  # and no other error; changed content alone is found by the checksum
                told += str(error).startswith(f"{name}: cannot be unpacked: ")
    assert told >= 40


def test_a_broken_archive_is_told(tmp_path: Path) -> None:
    whole = zipped(tmp_path / "packed", {"a": bytes(range(256)) * 40}).read_bytes()
    (tmp_path / "cut").write_bytes(whole[:5_000])
    (tmp_path / "changed").write_bytes(whole.replace(bytes(range(100)), bytes(100), 1))
    for name in ("cut", "changed"):
        with pytest.raises(DownloadFailed, match=f"{name}: cannot be unpacked"):
            unpack(tmp_path / name, tmp_path / f"new-{name}")
