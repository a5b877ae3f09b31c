"""Reports as pages, and a real browser to open them in: one for all tests of this folder."""

import json
import os
import shutil
from pathlib import Path

import pytest

from cam_cli.outputs.report.page import page

from .examples import HOSTILE, cases, metric, minimal, realistic

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
METHODS = ("cam", "gradcam")
LONG = "a_very_long_name_without_any_place_to_break_it_" * 4


class Page:
    """The page in the browser. What it complained about and what it asked for is in `logs`."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, path: Path, width: int = 1280, height: int = 900, scheme: str = "light") -> None:
        self.resize(width, height)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        self.driver.get(path.as_uri())

    def resize(self, width: int, height: int) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def logs(self) -> tuple[list[str], list[str]]:
        """What the console says, and the addresses that pages from files asked for, since the last time."""
        console = [one["message"] for one in self.driver.get_log("browser")]
        events = [json.loads(one["message"])["message"] for one in self.driver.get_log("performance")]
        sent = [one["params"] for one in events if one["method"] == "Network.requestWillBeSent"]
        return console, [one["request"]["url"] for one in sent if one["documentURL"].startswith("file:")]

    def js(self, code: str, *arguments):
        return self.driver.execute_script(f"return {code}", *arguments)

    def all(self, css: str):
        return self.driver.find_elements("css selector", css)

    def one(self, css: str):
        return self.driver.find_element("css selector", css)

    def texts(self, css: str) -> list[str]:
        return self.js("[...document.querySelectorAll(arguments[0])].map((one) => one.textContent)", css)

    @property
    def too_wide(self) -> int:
        """How many pixels one would have to scroll sideways."""
        return self.js("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("pages")
    shown = cases(METHODS, 6)
    (made / "report.html").write_bytes(page(realistic(METHODS), shown))
    (made / "minimal.html").write_bytes(page(minimal()))
    report = realistic(METHODS)
    report["dataset"] |= {"path": HOSTILE, "split": HOSTILE, "failed": {"count": 2, "ids": [HOSTILE, LONG]}}
    report["runs"][0] |= {"run": HOSTILE, "layers": [HOSTILE]}
    report["runs"][1] |= {"run": LONG}
    report["runs"][0]["metrics"].append(metric(HOSTILE, 0.5, computed_with={HOSTILE: HOSTILE}))
    report["runs"][0]["curves"][0] |= {"curve": HOSTILE, "x_name": HOSTILE}
    report["runs"][0]["groups"][0] |= {"column": HOSTILE, "value": LONG}
    report["gates"][0] |= {"gate": HOSTILE, "why": HOSTILE, "run": LONG, "passed": False}
    report["comparisons"][0] |= {"a": HOSTILE, "b": LONG}
    report["versions"] = {HOSTILE: HOSTILE}
    hostile = [type(one)(HOSTILE, HOSTILE, LONG, (HOSTILE,), *(getattr(one, part) for part in type(one).__slots__[4:]))
               for one in shown]  # fmt: skip
    (made / "hostile.html").write_bytes(page(report, hostile))
    return made


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    webdriver = pytest.importorskip("selenium.webdriver")
    from selenium.webdriver.chrome.service import Service

    if not (CHROMIUM and DRIVER):
        pytest.skip("no chromium with its chromedriver is installed")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with open(os.devnull, "wb") as nowhere:
        driver = webdriver.Chrome(options=options, service=Service(DRIVER, log_output=nowhere))
        try:
            yield Page(driver)
        finally:
            driver.quit()


@pytest.fixture
def report(browser, folder):
    browser.open(folder / "report.html")
    return browser
