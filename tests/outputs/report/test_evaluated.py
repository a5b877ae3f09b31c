"""The page of a real evaluation, in a real browser."""

import pytest

from tests.painted import NETWORK, ROWS, table, write

pytest.importorskip("selenium")


def test_the_page_of_an_evaluation(browser, camtool, tmp_path):
    """Everything is there and readable, and nothing complains: gates, numbers, curves, changes, groups, cases, what was
    left out, and how it was made."""
    write(tmp_path)
    table(
        tmp_path / "more.csv", {**ROWS, "gone.png": ("red", "0 0 9 9", "x"), "unknown.png": ("purple", "0 0 9 9", "x")}
    )
    (tmp_path / "pics/unknown.png").write_bytes((tmp_path / "pics/a.png").read_bytes())
    given = (
        "-m",
        NETWORK,
        "--labels",
        "labels.txt",
        "--metrics",
        "localisation,classification,deletion_auc",
        "--resamples",
        20,
    )
    assert camtool("evaluate", "data.csv", *given, "-o", "old").code == 0
    more = "--method", "cam", "--method", "centre", "--by", "class", "--baseline", "old", "--max-drop", "mean_iou=0.01"
    ran = camtool(
        "evaluate", "more.csv", *given, *more, "--fail-over", "deletion_auc=0.9", "--fail-under", "pxap=0", "-o", "new"
    )
    assert ran.code == 7, ran.err
    browser.logs()
    for width, scheme in ((1280, "light"), (375, "dark")):
        browser.open(tmp_path / "new/report.html", width, 800, scheme)
        assert browser.texts("section > h2")[-8:] == [
            "Numbers", "Curves", "Comparisons", "Changes", "Groups", "Cases", "Left out", "Made with",
        ]  # fmt: skip
        assert browser.one("#gates h2").text.endswith("3 of 6 gates fell")
        assert browser.too_wide == 0
        browser.js("document.querySelector('.case').click()")
        assert browser.too_wide == 0
    console, asked = browser.logs()
    assert console == []
    assert {address.split(":")[0] for address in asked} <= {"file", "data"}
    text = browser.js("document.body.textContent")
    for told in ("pics/gone.png", "purple", "not computed: the data have no masks", "rgb.centre", "camtool evaluate"):
        assert told in text, told
    broken = (
        "[...document.querySelectorAll('.case image')].filter((one) => !one.href.baseVal.startsWith('data:image/'))"
    )
    assert browser.js(f"{broken}.length") == 0
    assert len(browser.all(".case")) == 12  # six pictures of two runs; of one that is gone nothing can be shown
