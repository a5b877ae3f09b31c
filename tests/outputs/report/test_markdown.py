"""report.md: its bytes, below 64 KiB whatever comes, names that cannot break a table; read by another parser."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cam_cli.outputs.report.figures import figure, interval
from cam_cli.outputs.report.markdown import markdown
from cam_cli.outputs.report.names import LONGEST, code, codes, fenced, shortened, visible, words
from cam_cli.outputs.report.sections import Section, joined

from .examples import HOSTILE, metric, minimal, realistic, run, small

READ = MarkdownIt("commonmark").enable(["table", "strikethrough"])
NAMES = [
    HOSTILE, "a|b", "a\\|b", "`x`", "``", "*a* _b_ ~~c~~", "[x](http://e.vil)", "<b>", "&lt;", "a\nb\r\n| c |\n\n# d",
    "\u202egpj.exe", "b\udcff", "", " ", "\t", "@all #1", "x" * 500, "-->", "$x$", "http://e.vil", "\\", "`|`", "日本",
]  # fmt: skip


def cells(text: str) -> list[list[str]]:
    """Of all tables in a document, the rows, each cell as the text that a reader sees."""
    rows: list[list[str]] = []
    for token in READ.parse(text):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and rows and token.level > 3:
            rows[-1].append("".join(one.content for one in token.children if one.type in ("text", "code_inline")))
    return rows


def tags(text: str) -> set[str]:
    found = set()
    for token in READ.parse(text):
        assert token.type != "html_block"
        found |= {one.content for one in token.children or () if one.type == "html_inline"}
    return found


def test_the_bytes_of_a_small_report():
    assert (
        markdown(small()).decode()
        == """\
# Evaluation on `a/my data` (`val`)

❌ **1 of 2 gates fell** · 4 images · 2 classes · 2 runs

## Gates

| result | gate | run | value | why |
| :-- | :-- | :-- | --: | :-- |
| ❌ **fell** | `gt_known_loc ≥ 0.7` | `gradcam` | 0.625 | 0.625 &#60; 0.7 |
| ✅ passed | `gt_known_loc ≥ 0.7` | `cam` | 0.750 | 0.75 ≥ 0.7 |

## Numbers

Protocol `camtool`, modified in `threshold`. Intervals are of 95 %, by bootstrap over images (1000 resamples, seed 0). \
↑ higher is better, ↓ lower is.

| metric | run | value | 95 % | n | `centre` | computed with |
| :-- | :-- | --: | :-- | --: | --: | :-- |
| `gt_known_loc` ↑ | `cam` | **0.750** | 0.500 … 0.875 | 4 | 0.500 | threshold 0.2, overlap 0.5 |
| `gt_known_loc` ↑ | `gradcam` | **0.625** | 0.375 … 0.750 | 4 | 0.500 | threshold 0.2, overlap 0.5 |
| `deletion_auc` ↓ | `cam` | **0.250** | 0.000 … 0.375 | 4 | – | – |
| `deletion_auc` ↓ | `gradcam` | **–** | – | 0 | – | no image has a label |

## Comparisons

Pair by pair on the same images.

| metric | runs | difference | 95 % | n |  |
| :-- | :-- | --: | :-- | --: | :-- |
| `gt_known_loc` | `gradcam` − `cam` | **−0.125** | −0.250 … −0.062 | 4 | `cam` is better |

## Changes

Against `old`, pair by pair on the same images.

| metric | run | before | after | difference | 95 % | n |  |
| :-- | :-- | --: | --: | --: | :-- | --: | :-- |
| `gt_known_loc` | `cam` | 0.500 | 0.750 | **+0.250** | −0.125 … +0.500 | 4 | may be chance |

## Groups

| group | run | images | `gt_known_loc` |
| :-- | :-- | --: | --: |
| `source` = `a` | `cam` | 2 | 0.500 (0.000 … 1.000) |

## Left out

| count | what | which |
| --: | :-- | :-- |
| 1 | failed image, counted as a miss | `b/broken.jpg` |
| 3 | size of 0 in the annotation | `a.xml`, `b.xml`, `c.xml` |

## Made with

```
camtool evaluate 'my data' --fail-under gt_known_loc=0.7
```

On cpu in fp32, with camtool 0.1.0, torch 2.6.0.

| run | network | method | layers | weights | sha256 |
| :-- | :-- | :-- | :-- | :-- | :-- |
| `cam` | `efficientnet_lite0` | `cam` | `bn2` | `lite.pth` | `abababababab` |
| `gradcam` | `efficientnet_lite0` | `gradcam` | `bn2` | `lite.pth` | `abababababab` |
"""
    )


def test_the_bytes_of_a_minimal_report():
    assert (
        markdown(minimal()).decode()
        == """\
# Evaluation on `data`

0 images · 0 classes · 0 runs

## Left out

Nothing failed, and nothing was left out.

## Made with

```
camtool evaluate data
```

On cpu in fp32.
"""
    )


def test_gates_come_first_and_say_how_many_fell():
    report = small()
    report["gates"][1]["passed"] = True
    assert "✅ **2 gates passed** · 4 images" in markdown(report).decode()
    titles = [line for line in markdown(realistic()).decode().splitlines() if line.startswith("## ")]
    assert titles[0] == "## Gates"


def test_better_is_lower_where_the_metric_says_so():
    report = small()
    report["comparisons"][0] |= {"metric": "deletion_auc"}
    report["changes"][0] |= {"metric": "deletion_auc", "ci95": [0.1, 0.5]}
    text = markdown(report).decode()
    assert "`gradcam` is better" in text
    assert "| 4 | worse |" in text


@pytest.mark.parametrize("name", NAMES)
def test_a_name_stays_one_cell_and_says_itself(name):
    table = f"| a | b |\n| :-- | :-- |\n| {code(name)} | {code(name)} |\n"
    assert cells(table) == [["a", "b"], [visible(name, LONGEST) or "–"] * 2]
    assert tags(table) <= {"<code>", "</code>"}
    assert "\n" not in code(name)
    code(name).encode()


@given(st.text(alphabet=st.characters(codec=None), max_size=30))
def test_whatever_the_name(name):
    table = f"| a | b |\n| :-- | :-- |\n| {code(name)} | {words(name)} |\n"
    shown = visible(name, LONGEST) or "–"
    ((first, second), (one, two)) = cells(table)
    assert (first, second) == ("a", "b")
    assert one.strip() == shown.strip()
    assert two.strip() == visible(name, 999).strip()
    assert tags(table) <= {"<code>", "</code>"}


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_everywhere_break_no_table(name):
    report = small()
    report["command"] = ["evaluate", name]
    report["dataset"] |= {"path": name or "x", "split": name, "failed": {"count": 2, "ids": [name, name]}}
    report["dataset"]["unknown_classes"] = {"count": 1, "names": [name]}
    report["dataset"]["notes"] = [{"what": name, "count": 1, "where": [name]}]
    report["protocol"] |= {"name": name, "modified": [name]}
    report["runs"] = [run(name, [metric(name, 0.5, baselines={name: {"value": 0.5, "ci95": None}},
                                        computed_with={name: name}, why=name)],
                          groups=[{"column": name, "value": name, "images": 1, "metrics": []}])]  # fmt: skip
    report["gates"][0] |= {"gate": name, "run": name, "why": name}
    report["changes"][0] |= {"run": name, "metric": name, "baseline": name}
    report["versions"] = {name: name}
    text = markdown(report).decode()
    assert tags(text) <= {"<code>", "</code>"}
    usual = [len(row) for row in cells(markdown(small()).decode())]
    found = [len(row) for row in cells(text)]
    assert found == [5] * 3 + [7] * 2 + usual[8:12] + [3] * 2 + [3] * 4 + [6] * 2
    assert [line for line in text.splitlines() if line.startswith("#")][1:] == [
        "## Gates", "## Numbers", "## Comparisons", "## Changes", "## Groups", "## Left out", "## Made with",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["|", "\\", "\u202e", "ü", "x", "`"])
def test_it_stays_below_64_kib_whatever_the_report(kind):
    name, many = kind * 400, range(600)
    report = realistic()
    numbers = [metric(f"{name}{at}", 0.5, why=name, baselines={f"{name}{by}": {"value": 0.5, "ci95": None}
                                                              for by in range(20)}) for at in range(100)]  # fmt: skip
    value = {"metric": name, "value": 0.5, "ci95": [0, 1], "n": 1}
    groups = [{"column": name, "value": f"{at}{name}", "images": 1, "metrics": [value]} for at in many]
    report["command"] += [name] * 20
    report["runs"] = [run(f"{at}{name}", numbers, groups=groups, layers=[name] * 50, weights=name) for at in range(5)]
    report["gates"] = [report["gates"][0] | {"gate": name, "run": name, "why": name, "passed": at > 0} for at in many]
    report["comparisons"] = [report["comparisons"][0] | {"a": name, "b": name} for _ in many]
    report["changes"] = [report["changes"][0] | {"run": name, "baseline": f"{at}{name}"} for at in many]
    report["dataset"] |= {"path": name, "failed": {"count": 600, "ids": [name] * 600}}
    report["dataset"]["notes"] = [{"what": name, "count": 9, "where": [name] * 9} for _ in many]
    report["protocol"] |= {"name": name, "modified": [name] * 100}
    report["versions"] = {f"{name}{at}": name for at in range(100)}
    data = markdown(report)
    assert 16 * 1024 < len(data) < 64 * 1024
    text = data.decode()
    for what in ("gates", "numbers", "comparisons", "changes", "groups", "remarks"):
        assert f" more {what} are left out here" in text
    assert text.index("❌ **fell**") < text.index("✅ passed")
    assert tags(text) <= {"<code>", "</code>"}


def test_rows_are_cut_to_the_byte_and_counted():
    rows = [[f"{at:04}"] for at in range(1000)]
    sections = [Section("One", ("First.",), ("a",), rows, what="ones"), Section("Two", (), ("b",), rows[:3])]
    data = joined(["# Title"], sections, 1000)
    assert 980 < len(data) <= 1000
    text = data.decode()
    kept = text.count("| 0") - 3
    assert f"… {1000 - kept} more ones are left out here" in text
    assert text.endswith("| 0002 |\n")
    assert text.count("left out") == 1
    assert joined(["# Title"], sections, 10**6).decode().count("| 0") == 1003


def test_how_numbers_read():
    assert [figure(value) for value in (0.65, 1, 9.9996, 12.345, -0.5, 0, -0.0001, None, float("nan"))] == [
        "0.650", "1.000", "10.000", "12.3", "−0.500", "0.000", "0.000", "–", "–",
    ]  # fmt: skip
    assert [figure(value, signed=True) for value in (0.012, -0.012, 0.0)] == ["+0.012", "−0.012", "0.000"]
    assert interval([0.1, None]) == "0.100 … –"
    assert interval(None) == "–"


def test_lists_of_names_and_long_names_are_cut():
    assert codes(["a", "b", "c"], 2) == "`a`, `b`, … 1 more"
    assert codes(["a", "b"], 5, count=1234) == "`a`, `b`, … 1232 more"
    assert len(shortened("x" * 500, 80)) == 80
    assert shortened("folder/" * 40 + "name.jpg", 80).endswith("/name.jpg")
    assert visible("a\nb" * 300, 20) == visible("a\nb" * 20, 20)
    assert fenced("a ``` b", 99) == "````\na ``` b\n````"
