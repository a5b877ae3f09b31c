// Runs are told apart by colour and by dash; what belongs to one carries its number, so that it can be hidden.
const COLOURS = 7;
const DASHES = ["", "7 4", "2 3", "9 3 2 3"];
const hidden = new Set();
const listeners = [];

const runs = report.runs.map((run) => run.run);
const several = runs.length > 1;
const numberOf = (run) => runs.indexOf(run);
const toneOf = (index) => (index < 0 ? "" : `s${index % COLOURS}`);
const strokeOf = (index) => ({
  class: `series ${toneOf(index)}`,
  "stroke-dasharray": DASHES[index % DASHES.length],
});

function swatch(run) {
  const index = numberOf(run);
  const line = index < 0 ? null : svg("line", { ...strokeOf(index), x1: 1, y1: 5, x2: 27, y2: 5 });
  return svg("svg.swatch", { viewBox: "0 0 28 10", width: 28, height: 10, "aria-hidden": "true" }, line);
}

const runName = (run) => el("span.run", swatch(run), name(run));

function hide(index, off) {
  if (off) hidden.add(index);
  else hidden.delete(index);
  for (const node of document.querySelectorAll(`[data-run="${index}"]`)) node.toggleAttribute("data-off", off);
  for (const told of listeners) told();
}

function runSwitches() {
  if (!several) return null;
  const buttons = runs.map((run, index) => {
    const button = el("button.chip", { type: "button", "aria-pressed": "true" }, runName(run));
    button.addEventListener("click", () => {
      const off = button.getAttribute("aria-pressed") === "true";
      button.setAttribute("aria-pressed", String(!off));
      hide(index, off);
    });
    return button;
  });
  return el("div.switches", { role: "group", "aria-label": "Runs shown in numbers and curves" }, buttons);
}
