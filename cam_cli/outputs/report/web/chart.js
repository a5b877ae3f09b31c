// Curves: one chart a kind, the runs laid over each other. Units of a chart are pixels at its usual width.
const WIDE = { from: 42, to: 350, all: 360 };
const HIGH = { from: 198, to: 14, all: 236 };

function curves() {
  const every = report.runs.flatMap((run, index) => run.curves.map((one) => ({ ...one, index })));
  const drawn = every.filter((one) => one.y.some((y) => y != null));
  if (!drawn.length) return null;
  const kinds = distinct(drawn.map((one) => one.curve));
  const linesOf = (kind) => drawn.filter((one) => one.curve === kind);
  const charts = kinds.map((kind) => chart(kind, linesOf(kind)));
  const lead = el("p.lead", "To read a chart, point at it, or focus it and press ← →.");
  return section("curves", "Curves", lead, el("div.charts", charts));
}

function chart(kind, lines) {
  const across = axis(extent(lines.flatMap((one) => one.x)), WIDE);
  const up = axis(shares(extent(lines.flatMap((one) => one.y))), HIGH);
  const [{ x_name, y_name }] = lines;
  const paths = lines.map((one) =>
    svg("path", { ...strokeOf(one.index), d: trace(one, across, up), "data-run": one.index }),
  );
  const picture = svg(
    "svg.chart",
    {
      viewBox: `0 0 ${WIDE.all} ${HIGH.all}`,
      tabindex: 0,
      role: "slider",
      "aria-label": `${kind}: ${y_name} over ${x_name}`,
    },
    up.ticks.map((y) => [
      svg("line.grid", { x1: WIDE.from, x2: WIDE.to, y1: up.at(y), y2: up.at(y) }),
      label(WIDE.from - 6, up.at(y) + 4, tickText(y), "end"),
    ]),
    across.ticks.map((x) => label(across.at(x), HIGH.from + 16, tickText(x))),
    svg("line.axis", { x1: WIDE.from, x2: WIDE.to, y1: HIGH.from, y2: HIGH.from }),
    label((WIDE.from + WIDE.to) / 2, HIGH.all - 5, x_name),
    svg("g", { transform: "rotate(-90)" }, label(-(HIGH.from + HIGH.to) / 2, 11, y_name)),
    paths,
  );
  const caption = el("figcaption", el("h3", name(kind)), data.summaries[kind] && muted(data.summaries[kind]));
  return el("figure", caption, picture, readout(picture, lines, across, up));
}

const label = (x, y, text, anchor = "middle") => svg("text", { x, y, "text-anchor": anchor }, text);
const tickText = (value) => String(value).replace("-", "−");

function extent(values) {
  const known = values.filter((value) => value != null);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  return high > low ? [low, high] : [low - 0.5, high + 0.5];
}

// Heights that are shares have all of 0 to 1, others a little room.
function shares([low, high]) {
  const room = (high - low) * 0.05;
  return low >= 0 && high <= 1 ? [0, 1] : [low - room, high + room];
}

// at: where a value lies; back: what lies there; ticks: four or five round values.
function axis([low, high], { from, to }) {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 2.5, 5, 10].find((one) => one * power >= rough * 0.999);
  const ticks = [];
  for (let at = Math.ceil(low / step - 1e-9); at <= high / step + 1e-9; at++)
    ticks.push(Number((at * step).toPrecision(6)));
  return {
    low,
    high,
    ticks,
    at: (value) => from + ((value - low) / (high - low)) * (to - from),
    back: (place) => low + ((place - from) / (to - from)) * (high - low),
  };
}

// A path with gaps where y is null.
function trace({ x, y }, across, up) {
  const steps = x.map((one, index) => {
    if (y[index] == null) return "";
    const pen = index && y[index - 1] != null ? "L" : "M";
    return `${pen}${across.at(one).toFixed(1)} ${up.at(y[index]).toFixed(1)}`;
  });
  return steps.join("");
}
