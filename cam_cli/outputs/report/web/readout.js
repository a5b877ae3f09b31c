// What the curves of a chart are at one place, which pointer and arrow keys move; without a place, their legend.
const STEPS = {
  ArrowRight: 1,
  ArrowUp: 1,
  ArrowLeft: -1,
  ArrowDown: -1,
  PageUp: 10,
  PageDown: -10,
  Home: -Infinity,
  End: Infinity,
};

function readout(picture, lines, across, up) {
  const text = el("div.readout");
  const cursor = svg("g.cursor");
  const stops = distinct(lines.flatMap((one) => one.x)).sort((a, b) => a - b);
  const rest = resting(lines[0].x_name, stops);
  let stop = rest;
  picture.append(cursor);
  picture.setAttribute("aria-valuemin", across.low);
  picture.setAttribute("aria-valuemax", across.high);

  function go(to) {
    stop = to;
    const x = stop == null ? null : stops[stop];
    const lit = lines.filter((one) => !hidden.has(one.index));
    const points = lit.map((one) => (x == null ? null : nearest(one, x)));
    const values = lit.map((one, at) => points[at] && `${runs[one.index]} ${figure(points[at].y)}`);
    const place = x == null ? "" : `${lines[0].x_name} ${Number(x.toFixed(3))}`;
    const line = x != null && svg("line", { x1: across.at(x), x2: across.at(x), y1: HIGH.to, y2: HIGH.from });
    const dots = lit.map((one, at) => points[at] && point(one, across.at(points[at].x), up.at(points[at].y)));
    cursor.replaceChildren(...[line, ...dots].filter(Boolean));
    text.replaceChildren(
      ...lit.map((one, at) =>
        el("span.run", swatch(runs[one.index]), name(runs[one.index]), points[at] && el("b", figure(points[at].y))),
      ),
      muted(place),
    );
    picture.setAttribute("aria-valuenow", x ?? across.low);
    picture.setAttribute("aria-valuetext", place && `${place}: ${values.filter(Boolean).join(", ")}`);
  }

  picture.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect();
    go(closest(stops, across.back(((event.clientX - box.left) * WIDE.all) / box.width)));
  });
  picture.addEventListener("pointerleave", () => go(rest));
  picture.addEventListener("keydown", (event) => {
    const by = STEPS[event.key];
    if (!by || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    go(Math.min(stops.length - 1, Math.max(0, (stop ?? (by > 0 ? -1 : stops.length)) + by)));
  });
  listeners.push(() => go(stop));
  go(rest);
  return text;
}

const point = (one, cx, cy) => svg("circle", { class: `series ${toneOf(one.index)}`, cx, cy, r: 3.5 });

// At first, a curve over thresholds is read at the threshold that the report used.
function resting(axisName, stops) {
  const { threshold } = report.protocol;
  return axisName === "threshold" && typeof threshold === "number" ? closest(stops, threshold) : null;
}

const closest = (values, wanted) =>
  values.reduce((best, value, at) => (Math.abs(value - wanted) < Math.abs(values[best] - wanted) ? at : best), 0);

function nearest({ x, y }, wanted) {
  const known = [...x.keys()].filter((at) => y[at] != null);
  const places = known.map((at) => x[at]);
  const at = known[closest(places, wanted)];
  return at == null ? null : { x: x[at], y: y[at] };
}
