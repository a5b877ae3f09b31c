"""report.html without a browser: what it carries, how large it is, and that names in it stay data."""

import json
import re
from base64 import b64decode, b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from cam_cli.outputs.report.case import Case
from cam_cli.outputs.report.embedded import LEAST, MOST, NAMES, NUMBERS, POINTS, ROWS, embedded
from cam_cli.outputs.report.files import files
from cam_cli.outputs.report.page import PARTS, SCRIPTS, STYLES, page
from cam_cli.outputs.report.thinning import thinned

from .examples import HOSTILE, cases, minimal, realistic, run, small

JPEG, PNG, WEBP = b"\xff\xd8\xff\xe0 a", b"\x89PNG b", b"RIFF    WEBP c"


def case(**other) -> Case:
    usual = {
        "run": "cam", "id": "a.jpg", "label": "tabby", "predicted": ("tabby",), "score": 0.5, "right": True,
        "flags": (), "width": 40, "height": 30, "truth": ((1, 2, 3.5, 4),), "found": (), "photograph": JPEG,
        "overlay": PNG,
    }  # fmt: skip
    return Case(**usual | other)


class Parts(HTMLParser):
    """Elements in order with their attributes, and the text of each script and style."""

    def __init__(self, text: str):
        super().__init__()
        self.found, self.texts = [], {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data):
        tag, attributes = self.found[-1] if self.found else ("", {})
        if tag in ("script", "style"):
            self.texts.setdefault(attributes.get("id", tag), data)


def data_of(made: bytes) -> dict:
    return json.loads(Parts(made.decode()).texts["data"])


def test_the_page_names_nothing_outside_itself():
    made = page(realistic(), [case()]).decode()
    links = [
        value for _, attributes in Parts(made).found for key, value in attributes.items() if key in ("src", "href")
    ]
    assert links == []
    addresses = {"http://www.w3.org/1999/xhtml", "http://www.w3.org/2000/svg"}  # names of vocabularies
    assert set(re.findall(r"\w+://[^\s\"'`;)]+", made)) == addresses
    assert "@import" not in made
    assert "url(" not in made


def test_the_policy_allows_this_script_and_style_and_nothing_else():
    made = page(small()).decode()
    parts = Parts(made)
    policy = next(one["content"] for tag, one in parts.found if one.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))

    def hashed(text):
        return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"

    assert rules == {
        "default-src": "'none'", "script-src": hashed(parts.texts["script"]), "style-src": hashed(parts.texts["style"]),
        "img-src": "data:", "base-uri": "'none'", "form-action": "'none'",
    }  # fmt: skip
    tags = [tag for tag, _ in parts.found]
    assert tags.index("meta") < tags.index("style")
    assert not [one for _, one in parts.found if any(key.startswith("on") or key == "style" for key in one)]


def test_every_part_of_the_page_is_in_it():
    assert {path.stem for path in PARTS.glob("*.js")} == set(SCRIPTS)
    assert {path.stem for path in PARTS.glob("*.css")} == set(STYLES)
    assert {path.suffix for path in PARTS.iterdir()} == {".js", ".css", ".html"}
    made = page(minimal()).decode()
    assert all(path.read_text("utf-8") in made for path in PARTS.glob("*.[cj]s*"))


@pytest.mark.parametrize(
    "word", ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function("]
)
def test_text_never_becomes_markup(word):
    assert word not in page(minimal()).decode()


NASTY = [HOSTILE, "<!--<script>", "]]>", "&amp;", "\u2028\u2029", "{script}{data}", "\x00\ufffe", "b\udcff", "'\"\\"]


@pytest.mark.parametrize("name", NASTY)
def test_hostile_names_are_data_and_come_back_as_they_were(name):
    report = small()
    report["dataset"]["path"] = name
    report["runs"][0]["run"] = name
    made = page(report, [case(id=name, label=name, predicted=(name,), flags=(name,))])
    text = made.decode()
    plain = Parts(page(small(), [case()]).decode())
    assert [tag for tag, _ in Parts(text).found] == [tag for tag, _ in plain.found]
    block = Parts(text).texts["data"]
    assert not set(block) & set("<>&\u2028\u2029")
    data = data_of(made)
    assert data["report"]["dataset"]["path"] == data["report"]["runs"][0]["run"] == name
    assert data["cases"][0]["id"] == data["cases"][0]["predicted"][0] == name


def test_pictures_are_there_once_and_say_what_they_are():
    data = embedded(small(), [case(), case(run="gradcam", overlay=WEBP), case(id="b.jpg", overlay=b"", score=None)])
    assert [one.split(";")[0] for one in data["pictures"]] == ["data:image/jpeg", "data:image/png", "data:image/webp"]
    assert [b64decode(one.split(",")[1]) for one in data["pictures"]] == [JPEG, PNG, WEBP]
    assert [(one["photograph"], one["overlay"]) for one in data["cases"]] == [(0, 1), (0, 2), (0, None)]
    assert data["cases"][2]["score"] is None
    assert data["cases"][0]["truth"] == [[1, 2, 3.5, 4]]


def test_a_realistic_page_is_below_150_kb_without_its_pictures():
    made = page(realistic(), [case(id=f"{at:060}.jpg", photograph=b"", overlay=b"") for at in range(72)])
    assert len(made) < 150_000
    assert len(page(minimal())) < 70_000


def test_a_huge_report_makes_no_huge_page_and_the_page_says_what_it_left_out():
    report = realistic(tuple(f"run{at}" for at in range(5)))
    names = [f"{at:080}.jpg" for at in range(2_000)]
    report["dataset"]["failed"] = {"count": 2_000, "ids": names}
    report["dataset"]["notes"] = [{"what": "odd", "count": 2_000, "where": names}] * 100
    value = {"metric": "gt_known_loc", "value": 0.5, "ci95": [0, 1], "n": 1}
    for one in report["runs"]:
        one["groups"] = [{"column": "c", "value": str(at), "images": 1, "metrics": [value] * 4} for at in range(200)]
        one["curves"] = [{"curve": f"c{at}", "x": [index / 799 for index in range(800)], "y": [0.123456] * 800,
                          "x_name": "x", "y_name": "y"} for at in range(12)]  # fmt: skip
    gate = report["gates"][0]
    report["gates"] = [gate | {"passed": True}] * 900 + [gate | {"passed": False}] * 100
    report["comparisons"] *= 100
    made = page(report)
    assert len(made) < 400_000
    data = data_of(made)
    assert len(data["report"]["dataset"]["failed"]["ids"]) == NAMES
    assert data["report"]["dataset"]["failed"]["count"] == 2_000
    assert data["gates"] == {"all": 1000, "fallen": 100}
    assert [one["passed"] for one in data["report"]["gates"]] == [False] * 100 + [True] * 100
    assert data["left_out"]["gates"] == 1000 - ROWS["gates"]
    assert data["left_out"]["groups"] == 5 * 200 - NUMBERS // 4
    assert sum(len(one["x"]) for one in data["report"]["runs"][0]["curves"]) * 5 <= POINTS


def test_the_report_itself_is_not_cut_by_making_a_page():
    report = realistic()
    report["dataset"]["failed"] = {"count": 999, "ids": ["x"] * 999}
    page(report)
    assert len(report["dataset"]["failed"]["ids"]) == 999
    assert len(report["runs"][0]["curves"][0]["x"]) == 101


def test_pages_of_equal_reports_are_equal():
    assert page(realistic(), cases(("cam",), 2)) == page(realistic(), cases(("cam",), 2))


def test_differences_are_judged():
    report = small()
    report["changes"].append(report["changes"][0] | {"metric": "deletion_auc", "ci95": [0.1, 0.2]})
    report["changes"].append(report["changes"][0] | {"ci95": None})
    data = embedded(report, [])
    assert [one["sign"] for one in data["report"]["comparisons"]] == [-1]
    assert [one["sign"] for one in data["report"]["changes"]] == [0, -1, None]


@pytest.mark.parametrize("length", [1, 2, LEAST, MOST, MOST + 1, 1000, 10_007])
def test_a_thin_curve_has_its_ends_its_peak_and_its_valley(length):
    x = [index / length for index in range(length)]
    y = [0.5] * length
    y[length // 3], y[length // 2] = 1.0, 0.0
    few_x, few_y = thinned(x, y, MOST)
    assert len(few_x) == len(few_y) == min(length, len(few_x))
    assert len(few_x) <= MOST
    assert (few_x[0], few_x[-1]) == (0, round(x[-1], 4))
    assert few_x == sorted(few_x)
    assert 0.0 in few_y
    if length > 2:
        assert few_x[few_y.index(1.0)] == round(x[length // 3], 4)


def test_a_gap_in_a_curve_stays_one():
    y = [0.5] * 400 + [None] * 200 + [0.25] * 400
    _, few = thinned(range(1000), y, 60)
    runs = [value for at, value in enumerate(few) if at == 0 or value != few[at - 1]]
    assert runs == [0.5, None, 0.25]
    assert thinned([], [], 60) == ([], [])


def test_all_files_of_a_report():
    rows = [{"id": "a.jpg", "run": "cam"}]
    made = {name: data if isinstance(data, bytes) else b"".join(data) for name, data in files(small(), rows, [case()])}
    assert list(made) == [
        "per_image.csv", "curves/cam.gt_known_loc.csv", "metrics.json", "report.md", "report.html", "report.json",
    ]  # fmt: skip
    assert all(made.values())


def refused(constant):
    raise AssertionError(constant)


def test_numbers_that_are_not_finite_reach_no_file():
    report = small()
    report["runs"] = [run("cam", [one | {"value": float("nan")} for one in small()["runs"][0]["metrics"]])]
    rows = [{"id": "a.jpg", "run": "cam", "iou": float("inf")}]
    made = {name: data if isinstance(data, bytes) else b"".join(data)
            for name, data in files(report, rows, [case(score=float("nan"))])}  # fmt: skip
    for text in (made["report.json"], made["metrics.json"], Parts(made["report.html"].decode()).texts["data"]):
        json.loads(text, parse_constant=refused)
    assert b"nan" not in made["report.md"].lower()
    assert made["per_image.csv"] == b"id,run,iou\na.jpg,cam,\n"
