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


def test_what_becomes_a_thousandfold_fills_no_disk(tmp_path: Path) -> None:
    packed = tmp_path / "bomb.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("zeros", bytes(100 << 20))
    sparse = tmp_path / "sparse.tar"
    with tarfile.open(sparse, "w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("GNUSparseFile.0/zeros")
        info.size = 512
        names = {"major": "1", "minor": "0", "name": "zeros", "realsize": str(3 << 30)}
        info.pax_headers = {f"GNU.sparse.{key}": value for key, value in names.items()}
        tar.addfile(info, io.BytesIO(f"1\n{3 << 30}\n0\n".encode().ljust(512, b"\0")))
    for number, path in enumerate((packed, sparse)):
        with pytest.raises(DownloadFailed, match=r"more than 10000 files or \d+ bytes inside"):
            unpack(path, tmp_path / f"new{number}")
        assert not list((tmp_path / f"new{number}").iterdir())


@pytest.mark.parametrize("mode", ["gz", "bz2", "xz"])
def test_one_that_ends_in_its_first_bytes_is_told_in_a_line(tmp_path: Path, mode: str) -> None:
    whole = tmp_path / "whole"
    with tarfile.open(whole, f"w:{mode}") as out:  # type: ignore[call-overload]  # one of three modes
        out.addfile(tarfile.TarInfo("a"))
    packed = tmp_path / "packed"
    packed.write_bytes(whole.read_bytes()[:40])
    is_archive(packed)
    with pytest.raises(DownloadFailed, match="cannot be unpacked") as refused:
        unpack(packed, tmp_path / "new")
    assert "\n" not in str(refused.value)


def test_an_encrypted_one_is_called_so(tmp_path: Path) -> None:
    packed = zipped(tmp_path / "packed", {"a": b"x"})
    content = bytearray(packed.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    packed.write_bytes(content)
    with pytest.raises(DownloadFailed, match="'a' is encrypted"):
        unpack(packed, tmp_path / "new")


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
