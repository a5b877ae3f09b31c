// Single images: photograph, heatmap, true and found boxes; `view` says how they are shown, filters.js which.
const view = { text: "", run: 0, result: 0, flags: 0, order: 0, heat: true, boxes: true };
const gallery = el("ul.gallery", { "aria-label": "Cases" });
let visible = [];

const result = (one) => (one.right == null ? null : judged(one.right, "right", "wrong"));
const flagText = (flag) => flag.replaceAll("_", " ");

function picture(one) {
  const { width, height } = one;
  const shown = view.heat && one.overlay != null ? one.overlay : one.photograph;
  return svg(
    "svg.picture",
    { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" },
    svg("image", { href: data.pictures[shown], width, height, preserveAspectRatio: "none" }),
    view.boxes && one.truth.map((box) => outline(box, "true")),
    view.boxes && one.found.map((box) => outline(box, "found")),
  );
}

// A line on a darker one, so that it stands out from light and from dark.
function outline([x0, y0, x1, y1], kind) {
  const place = { x: x0, y: y0, width: Math.max(0, x1 - x0), height: Math.max(0, y1 - y0) };
  return [svg(`rect.${kind}.casing`, place), svg(`rect.${kind}`, place)];
}

function tile(one, index) {
  const wrong = one.predicted.length > 0 && one.predicted[0] !== one.label;
  const flags = one.flags.length > 1 ? counted(one.flags.length, "flag") : one.flags.map(flagText)[0];
  const open = { type: "button", "data-case": index, "aria-haspopup": "dialog", click: () => enlarge(index) };
  return el(
    "li",
    el(
      "button.case",
      open,
      el("span.frame", picture(one)),
      el("span.file", { title: one.id }, name(ending(one.id, 1))),
      el("span.class", name(one.label), wrong && [" → ", name(one.predicted[0])]),
      el("span.facts", el("span", "IoU ", el("b", figure(one.score))), result(one)),
      el("span.facts", several && runName(one.run), flags && el("span.tag", { title: one.flags.join(", ") }, flags)),
    ),
  );
}

// Only what is drawn on the tiles, so that the focus stays where it is.
function redraw() {
  for (const button of gallery.querySelectorAll("[data-case]")) {
    button.querySelector(".picture").replaceWith(picture(visible[button.dataset.case]));
  }
}

// Arrow keys go to the tile that lies there, whatever the number of columns.
gallery.addEventListener("keydown", (event) => {
  const tiles = [...gallery.querySelectorAll("button")];
  const from = tiles.indexOf(document.activeElement);
  if (from < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
  const below = tiles.findIndex((one) => one.getBoundingClientRect().top > tiles[0].getBoundingClientRect().top + 1);
  const across = below < 0 ? tiles.length : below;
  const steps = {
    ArrowRight: 1,
    ArrowLeft: -1,
    ArrowDown: across,
    ArrowUp: -across,
    Home: -from,
    End: tiles.length - 1 - from,
  };
  if (!(event.key in steps)) return;
  event.preventDefault();
  tiles[from + steps[event.key]]?.focus();
});
