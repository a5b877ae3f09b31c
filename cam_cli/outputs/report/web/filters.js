// Which cases are shown, in what order, and what on them.
const ORDERS = [
  { text: "lowest IoU first", key: (one) => one.score, up: true },
  { text: "highest IoU first", key: (one) => one.score, up: false },
  { text: "name", key: (one) => one.id, up: true },
  { text: "class", key: (one) => one.label, up: true },
];
const RESULTS = [null, (one) => one.right === true, (one) => one.right === false];
const FLAGS = [null, (one) => one.flags.length > 0, (one) => !one.flags.length];
const KEYS = { "/": "filter", "← ↑ ↓ →": "move", Enter: "enlarge", h: "heatmap", b: "boxes", Esc: "close" };
const counter = el("p.count", { role: "status" });
const SWITCHES = { heat: ["Heatmap", "h"], boxes: ["Boxes", "b"] };
const presses = {};

function cases() {
  if (!data.cases.length) return null;
  refresh();
  const tools = el(
    "div.tools",
    { role: "search" },
    el("label.choice.wide", el("span", "Filter"), textFilter()),
    choice(
      "Sort",
      ORDERS.map((order) => order.text),
      sets("order"),
    ),
    several && choice("Run", ["all", ...runs], sets("run")),
    choice("Result", ["all", "right", "wrong"], sets("result")),
    choice("Flags", ["all", "flagged", "not flagged"], sets("flags")),
    el("div.switches", { role: "group", "aria-label": "Shown on the pictures" }, press("heat"), press("boxes")),
  );
  const keys = Object.entries(KEYS).map(([key, what]) => el("span", el("kbd", key), ` ${what}`));
  const legend = el(
    "div.key",
    boxSample("true", "true box"),
    boxSample("found", "found box"),
    counter,
    el("p.keys.muted", keys),
  );
  return section("cases", "Cases", tools, legend, gallery);
}

function refresh() {
  const wanted = view.text.toLowerCase().split(/\s+/).filter(Boolean);
  const words = (one) => [one.id, one.label, one.run, ...one.predicted, ...one.flags].join("\n").toLowerCase();
  const tests = [
    view.run > 0 && ((one) => one.run === runs[view.run - 1]),
    RESULTS[view.result],
    FLAGS[view.flags],
    wanted.length && ((one) => wanted.every((word) => words(one).includes(word))),
  ].filter(Boolean);
  const found = data.cases.filter((one) => tests.every((test) => test(one)));
  visible = sorted(found, ORDERS[view.order].key, ORDERS[view.order].up);
  gallery.replaceChildren(...visible.map(tile));
  counter.textContent = `${visible.length} of ${counted(data.cases.length, "case")}`;
}

const sets = (part) => (value) => {
  view[part] = value;
  refresh();
};

function textFilter() {
  const attributes = {
    type: "search",
    id: "filter",
    placeholder: "name, class, flag",
    autocomplete: "off",
    spellcheck: "false",
  };
  const input = el("input", { ...attributes, "aria-keyshortcuts": "/" });
  input.addEventListener("input", () => sets("text")(input.value));
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      input.value = "";
      sets("text")("");
    } else if (event.key === "Enter" || event.key === "ArrowDown") {
      event.preventDefault();
      gallery.querySelector("button")?.focus();
    }
  });
  return input;
}

function press(part) {
  const [label, letter] = SWITCHES[part];
  const attributes = { type: "button", id: `toggle-${part}`, "aria-pressed": "true", "aria-keyshortcuts": letter };
  presses[part] = el("button.chip", { ...attributes, click: () => toggle(part) }, label);
  return presses[part];
}

function toggle(part) {
  view[part] = !view[part];
  presses[part].setAttribute("aria-pressed", String(view[part]));
  redraw();
  if (dialog.open) enlarge(current);
}

function boxSample(kind, label) {
  const sample = svg(
    "svg.sample.boxed",
    { width: 32, height: 20, "aria-hidden": "true" },
    outline([3, 3, 29, 17], kind),
  );
  return el("span", sample, label);
}

document.addEventListener("keydown", (event) => {
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !data.cases.length) return;
  if (event.key === "h") toggle("heat");
  if (event.key === "b") toggle("boxes");
  if (event.key === "/" && !dialog.open) {
    event.preventDefault();
    document.getElementById("filter").focus();
  }
});
