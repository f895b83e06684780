"""The local page of `mem serve` in a real browser without a window: what it shows, what it never runs or calls."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from app.config import Home
from app.doors.http import token_of
from app.encode import turn
from app.open import open_memory

if TYPE_CHECKING:
    from selenium.webdriver.remote.webdriver import WebDriver

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed"),
]
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-proxy-server",
)  # fmt: skip
HOSTILE = (
    "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    "<a href='javascript:document.title=1'>x</a> \x1b[31mred\x1b]0;owned\x07 \u202edesrever <b>harpoon</b>"
)
SAID = ("Anna's tram is line 7.", "The bicycle is in the cellar.", HOSTILE)


@dataclass(frozen=True)
class Site:
    """A server that runs, and the token that opens it."""

    url: str
    token: str


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """`mem serve` as its user starts it, over three memories."""
    from app.clock import now

    home = Home(tmp_path_factory.mktemp("page") / "home", tmp_path_factory.mktemp("models"))
    home.create()
    home.config.write_text('[models]\nchat = "fake"\nembed = "fake"\n')
    memory = open_memory(home)
    for text in SAID:
        memory.add([turn(text, now=now(), speaker="me")], "say", now())
    memory.close()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "cli", "serve", "--port", str(port), "--home", str(home.path)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        try:
            _answers(port, server)
            yield Site(f"http://127.0.0.1:{port}/", token_of(home.path))
        finally:
            server.terminate()


def _answers(port: int, server: subprocess.Popen[bytes]) -> None:
    """Wait until the server listens."""
    for _ in range(600):
        assert server.poll() is None, "mem serve ended at once"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("mem serve does not listen")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    profile = tmp_path_factory.mktemp("profile")
    for argument in (*QUIET, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    kept = os.environ.copy()
    os.environ["NO_PROXY"] = "127.0.0.1,localhost"
    try:
        driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(DRIVER)))
    finally:
        os.environ.clear()
        os.environ.update(kept)
    yield driver
    driver.quit()


@pytest.fixture
def page(browser: WebDriver, site: Site) -> Iterator[Page]:
    """The page as one finds it who follows the address that `mem serve` prints."""
    browser.set_window_size(1000, 800)
    browser.get("about:blank")
    browser.get_log("performance")
    browser.get(f"{site.url}#token={site.token}")
    page = Page(browser)
    page.waits_for(lambda: "newest" in page.state())
    yield page
    asked = called(browser)
    assert asked and all(url.startswith((site.url, "data:", "about:")) for url in asked), asked


class Page:
    """What a person sees and presses."""

    def __init__(self, browser: WebDriver) -> None:
        self.browser = browser

    def state(self) -> str:
        return str(self.browser.find_element("id", "state").text)

    def hits(self) -> list[str]:
        return [item.text for item in self.browser.find_elements("css selector", "#hits li")]

    def press(self, *keys: str) -> None:
        """Keys, typed where the focus is; what no letter names is WebDriver's code for it."""
        self.browser.switch_to.active_element.send_keys(*keys)

    def focused(self) -> str:
        element = self.browser.switch_to.active_element
        return str(element.get_attribute("id") or element.text)

    def waits_for(self, done: Callable[[], bool]) -> None:
        for _ in range(200):
            if done():
                return
            time.sleep(0.02)
        raise AssertionError(f"it did not come: {self.state()!r}, {self.hits()}")


def called(browser: WebDriver) -> list[str]:
    """Every address that the browser asked for since it was looked at last."""
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]


def test_the_page_opens_with_its_address_and_shows_the_newest(page: Page) -> None:
    assert len(page.hits()) == len(SAID)
    assert any(SAID[0] in hit and "user_said" in hit for hit in page.hits())
    assert "token" not in page.browser.current_url
    assert page.focused() == "query"


def test_without_a_token_it_is_asked_for_and_a_wrong_one_is_told(page: Page, site: Site) -> None:
    page.browser.execute_script("sessionStorage.clear()")
    page.browser.get(site.url)
    page.waits_for(lambda: "Enter the token" in page.state())
    assert page.focused() == "token"
    assert page.hits() == []
    page.press("no such t\u00f6ken", "\ue007")
    page.waits_for(lambda: "token is missing or wrong" in page.state())
    assert page.hits() == []
    page.press("\ue009", "a", "\ue000", site.token, "\ue007")  # select all, type over it
    page.waits_for(lambda: len(page.hits()) == len(SAID))


def test_a_search_finds_and_an_empty_one_shows_the_newest_again(page: Page) -> None:
    page.press("tram of Anna")
    page.waits_for(lambda: "found in" in page.state() and bool(page.hits()) and SAID[0] in page.hits()[0])
    page.press(*["\ue003"] * len("tram of Anna"))
    page.waits_for(lambda: "newest" in page.state() and len(page.hits()) == len(SAID))


def test_hostile_words_are_text_and_run_nothing(page: Page) -> None:
    (hostile,) = [hit for hit in page.hits() if "harpoon" in hit]
    assert "<script>document.title='owned'</script>" in hostile
    assert "\ufffd[31mred\ufffd]0;owned\ufffd \ufffddesrever <b>harpoon</b>" in hostile
    assert page.browser.title == "mem"
    assert page.browser.find_elements("css selector", "#hits script, #hits img, #hits a, #hits b") == []
    policy = [entry["message"] for entry in page.browser.get_log("browser")]
    assert not any("Refused to execute" in message for message in policy), "a script of a memory was tried"


def test_a_script_that_is_not_the_page_s_own_is_refused(page: Page) -> None:
    page.browser.execute_script(
        "const one = document.createElement('script');"
        "one.textContent = \"document.title='owned'\"; document.body.append(one);"
    )
    assert page.browser.title == "mem"


def test_all_of_it_is_done_by_keys(page: Page) -> None:
    down, up = "\ue015", "\ue013"
    page.press(down)
    assert page.focused() == page.hits()[0]
    page.press(down, down, down, down)
    assert page.focused() == page.hits()[-1]
    page.press("/")
    assert page.focused() == "query"
    page.press(down, up)
    assert page.focused() == "query"


def test_a_narrow_window_needs_no_sideways_scrolling(page: Page) -> None:
    page.browser.execute_cdp_cmd(  # type: ignore[attr-defined]
        "Emulation.setDeviceMetricsOverride",
        {"width": 320, "height": 480, "deviceScaleFactor": 1, "mobile": True},
    )
    wide, window = page.browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})  # type: ignore[attr-defined]
    assert window == 320
    assert wide <= window


def test_a_server_that_ended_is_told(page: Page) -> None:
    page.browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/v1/*"]})  # type: ignore[attr-defined]
    page.press("tram")
    page.waits_for(lambda: "Nobody answers" in page.state())
    page.browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})  # type: ignore[attr-defined]
