"""The page's single images in a real browser: filter, sort, heatmap on and off, arrow keys, enlarge."""

import pytest

pytest.importorskip("selenium")
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select


def press(page, *keys):
    ActionChains(page.driver).send_keys(*keys).perform()


def choose(page, label, text):
    select = page.driver.find_element("xpath", f"//*[@id='cases']//label[span='{label}']/select")
    Select(select).select_by_visible_text(text)


def scores(page):
    return [float(text) for text in page.texts(".case .facts b")]


def focused(page):
    return page.js("document.activeElement.dataset.case")


def drawn(page):
    """What the first tile's picture shows: the address of its pixels, and how many boxes."""
    picture = "document.querySelector('.case .picture')"
    return page.js(f"[{picture}.querySelector('image').href.baseVal, {picture}.querySelectorAll('rect').length]")


def test_the_worst_come_first_and_other_orders_can_be_had(report):
    assert len(report.all(".case")) == 12
    worst = scores(report)
    assert worst == sorted(worst)
    choose(report, "Sort", "highest IoU first")
    assert scores(report) == worst[::-1]
    choose(report, "Sort", "class")
    labels = report.js("[...document.querySelectorAll('.case .class bdi:first-child')].map((one) => one.textContent)")
    assert labels == sorted(labels)
    choose(report, "Sort", "name")
    names = report.js("[...document.querySelectorAll('.file')].map((one) => one.title)")
    assert names == sorted(names)


def test_the_filter_is_a_key_away(report):
    press(report, "/")
    assert report.js("document.activeElement.id") == "filter"
    press(report, "ESPRESSO gradcam")
    assert report.texts(".count") == ["1 of 12 cases"]
    assert report.texts(".case .run") == ["gradcam"]
    press(report, Keys.ENTER)
    assert focused(report) == "0"
    press(report, "/", "nothing like it")
    assert report.texts(".count") == ["0 of 12 cases"]
    press(report, Keys.ESCAPE)
    assert report.texts(".count") == ["12 of 12 cases"]
    assert report.js("document.getElementById('filter').value") == ""


def test_letters_typed_into_the_filter_are_no_commands(report):
    press(report, "/", "hb/")
    assert report.js("document.getElementById('filter').value") == "hb/"
    assert report.one("#toggle-heat").get_attribute("aria-pressed") == "true"


def test_what_is_shown_narrows_by_run_result_and_flag(report):
    choose(report, "Run", "gradcam")
    assert set(report.texts(".case .run")) == {"gradcam"}
    assert report.texts(".count") == ["6 of 12 cases"]
    choose(report, "Run", "all")
    choose(report, "Result", "wrong")
    assert set(report.texts(".case .bad")) == {"✗ wrong"}
    assert max(scores(report)) <= 0.5  # 0.4998, in three digits
    choose(report, "Result", "right")
    assert min(scores(report)) >= 0.5
    choose(report, "Result", "all")
    choose(report, "Flags", "flagged")
    assert report.texts(".case .tag") == ["depth guessed"] * 2
    choose(report, "Flags", "not flagged")
    assert report.texts(".count") == ["10 of 12 cases"]


def test_heatmap_and_boxes_go_and_come_back(report):
    warm, boxes = drawn(report)
    assert warm.startswith("data:image/webp;base64,")
    assert boxes == 4  # a true and a found one, each on its darker line
    report.one("#toggle-heat").click()
    plain, _ = drawn(report)
    assert plain != warm
    assert report.one("#toggle-heat").get_attribute("aria-pressed") == "false"
    report.all(".case")[0].send_keys("h")
    assert drawn(report) == [warm, 4]
    assert focused(report) == "0"
    press(report, "b")
    assert drawn(report) == [warm, 0]
    press(report, "b")
    assert drawn(report) == [warm, 4]


def test_boxes_differ_by_more_than_colour_and_lie_where_they_should(report):
    style = "getComputedStyle(document.querySelector('.case rect.{}:not(.casing)')).strokeDasharray"
    assert report.js(style.format("true")) == "none"
    assert report.js(style.format("found")) != "none"
    place = report.js(
        "(() => { const tile = document.querySelector('.case .picture');"
        " const [image, box] = [tile.querySelector('image'), tile.querySelector('rect.true:not(.casing)')]"
        ".map((one) => one.getBoundingClientRect());"
        " return [(box.left - image.left) / image.width, (box.top - image.top) / image.height,"
        " box.width / image.width, box.height / image.height]; })()"
    )
    assert place == pytest.approx([0.25, 0.2, 0.5, 0.6], abs=0.02)  # the example's true box, but for the line's width


def test_arrow_keys_walk_through_the_gallery(report):
    tops = report.js(
        "[...document.querySelectorAll('.case')].map((one) => Math.round(one.getBoundingClientRect().top))"
    )
    across = tops.count(tops[0])
    assert 2 < across < 12
    report.all(".case")[0].send_keys(Keys.ARROW_RIGHT)
    assert focused(report) == "1"
    press(report, Keys.ARROW_DOWN)
    assert focused(report) == str(1 + across)
    press(report, Keys.ARROW_LEFT)
    assert focused(report) == str(across)
    press(report, Keys.ARROW_UP, Keys.ARROW_UP)
    assert focused(report) == "0"
    press(report, Keys.END, Keys.ARROW_RIGHT)
    assert focused(report) == "11"
    press(report, Keys.HOME)
    assert focused(report) == "0"


def test_a_case_is_enlarged_paged_and_left_by_key(report):
    dialog = report.one("dialog")
    report.all(".case")[1].send_keys(Keys.ENTER)
    assert dialog.is_displayed()
    assert "2 of 12" in dialog.text
    assert dialog.find_element("css selector", "h2").text == report.all(".file")[1].get_attribute("title")
    assert report.js("document.activeElement.textContent") == "Close"
    press(report, Keys.ARROW_RIGHT)
    assert "3 of 12" in dialog.text
    press(report, Keys.ARROW_LEFT, Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    assert "1 of 12" in dialog.text
    before = report.js("document.querySelector('dialog image').href.baseVal")
    press(report, "h")
    assert report.js("document.querySelector('dialog image').href.baseVal") != before
    press(report, "h", Keys.ESCAPE)
    assert not dialog.is_displayed()
    assert focused(report) == "0"


def test_the_dialog_pages_by_button_and_shows_the_other_run(report):
    report.all(".case")[0].click()
    before = report.one("dialog .run").text
    other = report.one("dialog .other")
    assert other.text.split("\n")[0] != before
    other.click()
    assert report.one("dialog .run").text != before
    report.one("dialog [data-does=after]").send_keys(Keys.ENTER)
    assert report.js("document.activeElement.textContent") == "Next ›"  # the focus stays, to go on
    report.one("dialog [data-does=close]").click()
    assert not report.one("dialog").is_displayed()


def test_tab_reaches_everything_and_shows_where_it_is(report):
    report.driver.execute_script(
        "window.seen = new Map(); document.addEventListener('focusin', ({ target }) => {"
        " const { outlineStyle, outlineWidth } = getComputedStyle(target);"
        " window.seen.set(target, `${outlineStyle} ${outlineWidth}`); })"
    )
    wanted = "[...document.querySelectorAll('a, button, input, select, summary, [tabindex=\"0\"]')]"
    press(report, *[Keys.TAB] * report.js(f"{wanted}.length"))
    assert report.js(f"{wanted}.filter((one) => !window.seen.has(one)).map((one) => one.outerHTML)") == []
    assert report.js("[...new Set(window.seen.values())]") == ["solid 2px"]


@pytest.mark.parametrize("name", ["report", "hostile"])
def test_a_phone_has_two_columns_and_a_dialog_that_fits(browser, folder, name):
    browser.open(folder / f"{name}.html", 375, 700)
    tops = browser.js(
        "[...document.querySelectorAll('.case')].map((one) => Math.round(one.getBoundingClientRect().top))"
    )
    assert tops.count(tops[0]) == 2
    for at in range(12):
        browser.js("document.querySelectorAll('.case')[arguments[0]].click()", at)
        assert browser.js(
            "(({ left, right }) => left >= 0 && right <= 375)(document.querySelector('dialog').getBoundingClientRect())"
        )
        assert browser.js(
            "document.querySelector('dialog').scrollWidth <= document.querySelector('dialog').clientWidth"
        )
        browser.js("document.querySelector('dialog').close()")


def test_it_is_dark_where_that_is_wanted(browser, folder):
    colours = []
    for scheme in ("light", "dark"):
        browser.open(folder / "minimal.html", scheme=scheme)
        style = browser.js(
            "(({ color, backgroundColor }) => [color, backgroundColor])(getComputedStyle(document.body))"
        )
        colours.append([sum(map(int, one[4:-1].split(", "))) for one in style])
    (light_ink, light_paper), (dark_ink, dark_paper) = colours
    assert light_ink < 150 < 600 < light_paper
    assert dark_paper < 150 < 600 < dark_ink
