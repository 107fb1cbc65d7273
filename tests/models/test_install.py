"""From a catalogue's entry to a folder that an engine can load."""

import hashlib
import io
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from irene_wyoming.errors import DownloadFailed, UnknownModel
from irene_wyoming.models.catalogue import Entry, Remote, entry, load
from irene_wyoming.models.check import CHECKS, check
from irene_wyoming.models.install import MANIFEST, changed, install
from tests.models import VOSK
from tests.models.host import Host, serving


def zipped(folder: Path, name: str, leave_out: str = "") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.name != leave_out:
                packed.write(path, f"{name}/{path.relative_to(folder)}")
    return out.getvalue()


NAME = "vosk-model-small-en-us-0.15"
WHOLE = zipped(VOSK, NAME)


@pytest.fixture
def host() -> Iterator[Host]:
    with serving(Host({"/model.zip": WHOLE})) as host:
        yield host


def offered(host: Host) -> Entry:
    data = host.files["/model.zip"]
    remote = Remote(f"{host.uri}/model.zip", hashlib.sha256(data).hexdigest(), len(data))
    return Entry("vosk", NAME, ("en",), "Apache-2.0", (remote,))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_archive_becomes_a_folder_that_can_be_loaded(host: Host, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    folder = install(offered(host), tmp_path, lambda have, total: told.append((have, total)))
    assert folder == tmp_path / "asr" / "vosk" / NAME
    assert names(folder.parent) == [NAME]
    assert told[-1] == (len(WHOLE), len(WHOLE))
    check("vosk", folder)
    assert changed(folder) == []


def test_several_files_become_one_folder(tmp_path: Path) -> None:
    files = {f"/{path.relative_to(VOSK)}": path.read_bytes() for path in VOSK.rglob("*") if path.is_file()}
    flat = {f"/{Path(name).name}": data for name, data in files.items()}
    flat["/HCLG.fst"] = flat["/Gr.fst"]
    with serving(Host(flat)) as host:
        sums = ((name, hashlib.sha256(data).hexdigest(), len(data)) for name, data in flat.items())
        remotes = tuple(Remote(host.uri + name, digest, size) for name, digest, size in sums)
        told: list[tuple[int, int | None]] = []
        folder = install(
            Entry("vosk", "flat", ("en",), "", remotes), tmp_path, lambda have, total: told.append((have, total))
        )
    check("vosk", folder)
    total = sum(map(len, flat.values()))
    assert told[-1] == (total, total)


@pytest.mark.parametrize("content", ["{}", "[]", '{"sha256": 3}', '{"sha256": {"../x": "y"}}', "[" * 200_000])
def test_a_damaged_list_of_checksums_is_told_as_a_change(tmp_path: Path, content: str) -> None:
    (tmp_path / MANIFEST).write_text(content)
    assert len(changed(tmp_path)) == 1


def test_what_is_changed_later_is_found(host: Host, tmp_path: Path) -> None:
    folder = install(offered(host), tmp_path, lambda *_: None)
    (folder / "graph" / "words.txt").write_text("<eps> 0\n")
    (folder / "conf" / "mfcc.conf").unlink()
    assert changed(folder) == ["conf/mfcc.conf", "graph/words.txt"]


def test_a_folder_that_was_not_fetched_has_nothing_to_compare() -> None:
    assert changed(VOSK) == []


def test_an_incomplete_model_takes_no_ones_place(host: Host, tmp_path: Path) -> None:
    folder = install(offered(host), tmp_path, lambda *_: None)
    host.files["/model.zip"] = zipped(VOSK, NAME, leave_out="final.mdl")
    with pytest.raises(DownloadFailed, match=r"no model of this engine: .*has no am/final\.mdl"):
        install(offered(host), tmp_path, lambda *_: None)
    assert names(folder.parent) == [NAME]
    check("vosk", folder)


def test_a_new_one_replaces_the_old_one(host: Host, tmp_path: Path) -> None:
    folder = install(offered(host), tmp_path, lambda *_: None)
    (folder / "mine").write_text("x")
    assert install(offered(host), tmp_path, lambda *_: None) == folder
    assert not (folder / "mine").exists()
    assert names(folder.parent) == [NAME]


def test_what_is_no_archive_is_told(host: Host, tmp_path: Path) -> None:
    host.files["/model.zip"] = b"<html>please log in</html>"
    with pytest.raises(DownloadFailed, match="no model of this engine"):
        install(offered(host), tmp_path, lambda *_: None)


def test_a_folder_that_cannot_be_written_is_told(host: Host, tmp_path: Path) -> None:
    (tmp_path / "asr").write_text("a file")
    with pytest.raises(DownloadFailed, match="asr"):
        install(offered(host), tmp_path, lambda *_: None)


def test_the_catalogue_is_complete() -> None:
    catalogue = load()
    assert len({(known.engine, known.name) for known in catalogue}) == len(catalogue)
    for known in catalogue:
        assert known.engine in CHECKS
        assert known.licence
        assert entry(known.name, catalogue) is known
        for file in known.files:
            assert file.url.startswith("https://")
            assert file.sha256 is not None
            assert len(file.sha256) == 64
            assert file.size


def test_two_programs_fetch_a_model_once(host: Host, tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        made = list(pool.map(lambda _: install(offered(host), tmp_path, lambda *_: None), range(2)))
    assert made[0] == made[1]
    check("vosk", made[0])
    assert len([path for path, _ in host.asked if path == "/model.zip"]) == 1


def test_a_file_without_a_published_checksum_is_judged_by_its_structure(host: Host, tmp_path: Path) -> None:
    unknown = Entry("vosk", NAME, ("en",), "Apache-2.0", (Remote(f"{host.uri}/model.zip", None, None),))
    assert changed(install(unknown, tmp_path, lambda *_: None)) == []
    host.files["/model.zip"] = b"<html>please log in</html>"
    with pytest.raises(DownloadFailed, match="no model of this engine"):
        install(unknown, tmp_path / "other", lambda *_: None)


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    with pytest.raises(UnknownModel, match=f"no model 'nothing'.*{NAME}"):
        entry("nothing", load())
