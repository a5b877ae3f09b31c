// A number with its interval on a line, baselines beside it. Percentages place everything, so it fits any width.
function scaleOf(values) {
  const known = values.filter((value) => value != null);
  const [low, high] = [Math.min(0, ...known), Math.max(0, ...known)];
  if (low >= 0 && high <= 1) return [0, 1];
  if (low >= -1 && high <= 1) return [-1, 1];
  return [round(low, Math.floor), round(high, Math.ceil)];
}

// The next number of two digits, outwards.
function round(value, outwards) {
  if (!value) return 0;
  const unit = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 1);
  return outwards(value / unit) * unit;
}

function around(values) {
  const most = round(Math.max(...values.map(Math.abs), 1e-3), Math.ceil);
  return [-most, most];
}

const span = (x, width) => svg("rect.span", { x, width, y: 6, height: 8, rx: 4 });
const dot = (cx) => svg("circle.dot", { cx, cy: 10, r: 3.5 });
const mark = (x, index) => svg("line", { class: `base b${index % 3}`, x1: x, x2: x, y1: 3, y2: 17 });

// ends: what the ends of the line are, where the table's head does not say. tone: the class of a run's colour.
function whisker([low, high], value, bounds, { baselines = [], ends, tone = "", zero }) {
  const at = (number) => `${(Math.min(1, Math.max(0, (number - low) / (high - low))) * 100).toFixed(2)}%`;
  const wide = ([from, to]) => `${((Math.max(0, to - from) / (high - low)) * 100).toFixed(2)}%`;
  const line = (kind, x, y1, y2) => svg("line", { class: kind, x1: x, x2: x, y1, y2 });
  const picture = svg(
    "svg",
    { class: `whisker ${tone}`, width: "100%", height: 20, "aria-hidden": "true" },
    svg("line.rail", { x1: "0%", x2: "100%", y1: 10, y2: 10 }),
    ["0%", "100%"].map((x) => line("rail", x, 7, 13)),
    (zero || low < 0) && line("zero", at(0), 1, 19),
    bounds?.every((end) => end != null) && span(at(bounds[0]), wide(bounds)),
    baselines.map((base, index) => base != null && mark(at(base), index)),
    value != null && dot(at(value)),
  );
  return ends ? [picture, scaleEnds(ends)] : picture;
}

function scaleEnds(ends) {
  const texts = ends.map((end) => el("span", end));
  return el("span.scale", { "aria-hidden": "true" }, texts);
}
