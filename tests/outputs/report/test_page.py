"""report.html in a real browser: opened from a file, sorted, unfolded, read by pointer and by key, at every width."""

import json
from importlib.resources import files

import pytest

from cam_cli.outputs.report import web
from cam_cli.outputs.report.figures import figure

from .examples import HOSTILE

pytest.importorskip("selenium")
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select


@pytest.mark.parametrize("name", ["report", "minimal", "hostile"])
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (375, "dark")])
def test_it_opens_from_a_file_fetches_nothing_and_complains_of_nothing(browser, folder, name, width, scheme):
    browser.logs()
    browser.open(folder / f"{name}.html", width, 800, scheme)
    sections = browser.texts("section > h2")
    everything = ["Numbers", "Curves", "Comparisons", "Changes", "Groups", "Cases", "Left out", "Made with"]
    assert sections[-8:] == everything[-2 if name == "minimal" else 0 :]
    if browser.all(".case"):
        browser.js("document.querySelector('.case').click()")
    assert browser.too_wide == 0
    for button in browser.all(".more")[:3]:
        browser.js("arguments[0].click()", button)
    assert browser.too_wide == 0
    console, asked = browser.logs()
    assert console == []
    assert {address.split(":")[0] for address in asked} <= {"file", "data"}
    address = (folder / f"{name}.html").as_uri()
    assert [one for one in asked if one.startswith("file:")] == [address] == [browser.driver.current_url]


def test_no_width_needs_scrolling_sideways(browser, folder):
    browser.open(folder / "hostile.html")
    for width in (320, 375, 760, 900, 1181, 1280):
        browser.resize(width, 700)
        assert browser.too_wide == 0, width


def test_hostile_names_are_text(browser, folder):
    browser.open(folder / "hostile.html")
    assert browser.js("document.title") == f"{HOSTILE} · camtool evaluate"
    assert browser.js("document.querySelectorAll('img, iframe, script').length") == 2  # the data and the script
    for place in ("h1 bdi", ".c-name bdi", "#about dt", "#curves h3 bdi", ".case .class bdi", "#left-out li bdi"):
        assert HOSTILE in browser.texts(place)
    browser.one(".case").click()
    assert browser.one("dialog h2").text == HOSTILE


def test_figures_are_those_of_the_other_files(report):
    values = [0.5625, 0.4375, 0.0005, 0.0015, 12.25, 12.35, 1234.5, 9.9996, -0.5, -0.0001, 0, None]
    code = (files(web) / "dom.js").read_text()
    found = report.js(f"(() => {{ {code}; return {json.dumps(values)}.map((one) => figure(one, true)) }})()")
    assert found == [figure(one, True) for one in values]


def test_scripts_that_come_in_do_not_run(report):
    report.logs()
    report.js("document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))")
    report.js("document.body.insertAdjacentHTML('beforeend', '<img src=\"data:,\" onerror=\"window.ran = 1\">')")
    report.driver.execute_async_script("setTimeout(arguments[0], 50)")
    assert report.js("window.ran") is None
    console, _ = report.logs()
    assert len(console) == 2
    assert all("Content Security Policy" in line for line in console)


def test_gates_say_what_fell(browser, folder, report):
    assert report.one("#gates h2").text.endswith("4 gates passed")
    browser.open(folder / "hostile.html")
    assert browser.one("#gates h2").text.endswith("1 of 4 gates fell")
    assert browser.texts("#gates .c-mark")[1:] == ["✗ fell", *["✓ passed"] * 3]


def test_headers_sort_and_say_so(report):
    def values():
        return [float(text) for text in report.texts("#numbers table:first-of-type .c-number.strong")[1:]]

    (value,) = [one for one in report.all("#numbers table:first-of-type .sorter") if one.text.startswith("Value")]
    head = value.find_element(By.XPATH, "..")
    before = values()
    assert head.get_attribute("aria-sort") == "none"
    value.click()
    assert values() == sorted(before) != before
    assert head.get_attribute("aria-sort") == "ascending"
    value.send_keys(Keys.ENTER)
    assert values() == sorted(before, reverse=True)
    assert head.get_attribute("aria-sort") == "descending"
    report.all("#numbers table:first-of-type .sorter")[0].click()
    assert values() == before
    assert head.get_attribute("aria-sort") == "none"
    assert report.js("document.querySelectorAll('[aria-sort=ascending]').length") == 1


def test_details_unfold(report):
    button = report.one(".more")
    details = report.one(f"[id='{button.get_attribute('aria-controls')}']")
    assert not details.is_displayed()
    button.send_keys(Keys.SPACE)
    assert button.get_attribute("aria-expanded") == "true"
    assert details.text.split("\n")[:4] == ["What it is", "right box of the true class's map", "threshold", "0.2"]
    button.click()
    assert not details.is_displayed()


def test_runs_can_be_switched_off(report):
    def shown():
        drawn = "[...document.querySelectorAll(arguments[0])].filter((one) => one.getClientRects().length).length"
        return [report.js(drawn, css) for css in ("#numbers tbody", ".chart path", "#gates tbody")]

    rows, lines, gates = shown()
    assert (rows, lines, gates) == (24, 8, 4)
    cam = report.one("#numbers .switches button")
    cam.click()
    assert cam.get_attribute("aria-pressed") == "false"
    assert shown() == [rows / 2, lines / 2, gates]
    assert "gt_known_loc" in report.one("#numbers tbody:not([data-off]) .c-name").text
    assert "cam" not in [text.split("0")[0] for text in report.texts(".readout .run")]
    cam.click()
    assert shown() == [rows, lines, gates]


def test_charts_are_read_by_key_and_by_pointer(report):
    chart = report.all(".chart")[1]
    assert chart.get_attribute("aria-label") == "insertion_auc: probability over share of pixels"
    assert chart.get_attribute("aria-valuetext") == ""
    chart.send_keys(Keys.END)
    assert chart.get_attribute("aria-valuetext") == "share of pixels 1: cam 0.795, gradcam 0.816"
    chart.send_keys(Keys.ARROW_LEFT)
    assert float(chart.get_attribute("aria-valuenow")) == pytest.approx(27 / 28, abs=1e-4)
    chart.send_keys(Keys.HOME)
    assert chart.get_attribute("aria-valuenow") == "0"
    readout = report.all(".readout")[1]
    ActionChains(report.driver).move_to_element(chart).perform()
    assert "share of pixels 0." in readout.text
    assert len(report.all(".cursor")[1].find_elements(By.TAG_NAME, "circle")) == 2
    ActionChains(report.driver).move_to_element(report.one("h1")).perform()
    assert readout.text == "cam\ngradcam"
    assert report.all(".chart")[0].get_attribute("aria-valuetext").startswith("threshold 0.2: cam 0.6")


def test_comparisons_narrow_to_a_metric(report):
    rows = len(report.all("#comparisons tbody"))
    Select(report.one("#comparisons select")).select_by_visible_text("deletion_auc")
    assert len(report.all("#comparisons tbody")) == 1 < rows
    assert report.texts("#comparisons .c-verdict")[1] == "cam is better"  # lower is
    Select(report.one("#comparisons select")).select_by_visible_text("all")
    assert len(report.all("#comparisons tbody")) == rows


def test_groups_show_one_metric_at_a_time(report):
    before = report.texts("#groups .c-number.strong")
    Select(report.one("#groups select")).select_by_visible_text("top1_loc")
    after = report.texts("#groups .c-number.strong")
    assert len(after) == len(before)
    assert after != before
    assert report.one("#groups table").get_attribute("aria-label") == "top1_loc by source"
