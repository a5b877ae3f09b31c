// One case, large. The dialog keeps the focus while it is open, Escape closes it, and the tile has the focus again.
const dialog = document.getElementById("enlarged");
let current = 0;

function enlarge(index) {
  current = index;
  const one = visible[index];
  const does = dialog.contains(document.activeElement) ? document.activeElement.dataset.does : null;
  dialog.replaceChildren(
    bar(index),
    el("div.large", picture(one), el("div.about", el("h2", { id: "enlarged-name" }, name(one.id)), facts(one))),
  );
  if (!dialog.open) dialog.showModal();
  const same = dialog.querySelector(`[data-does="${does}"]:enabled`);
  (same || dialog.querySelector('[data-does="close"]')).focus();
}

function bar(index) {
  const button = (does, label, click, attributes) =>
    el("button.chip", { type: "button", "data-does": does, click, ...attributes }, label);
  return el(
    "div.bar",
    button("before", "‹ Previous", () => step(-1), { disabled: index === 0 }),
    button("after", "Next ›", () => step(1), { disabled: index === visible.length - 1 }),
    muted(`${index + 1} of ${visible.length}`),
    button("heat", "Heatmap", () => toggle("heat"), { "aria-pressed": String(view.heat) }),
    button("boxes", "Boxes", () => toggle("boxes"), { "aria-pressed": String(view.boxes) }),
    button("close", "Close", () => dialog.close()),
  );
}

function facts(one) {
  const edges = (box) => el("div", box.map((edge) => Number(edge.toFixed(1))).join(", "));
  const flag = (flag) => el("div", flagText(flag), data.flags[flag] && muted(`: ${data.flags[flag]}`));
  const others = data.cases.filter((other) => other.id === one.id && other !== one);
  return listing([
    several && ["Run", runName(one.run)],
    ["Class", name(one.label)],
    ["Predicted", one.predicted.length ? one.predicted.map((label) => el("div", name(label))) : NONE],
    ["Result", result(one) || NONE],
    ["IoU", figure(one.score)],
    ["Size", `${one.width} × ${one.height} px`],
    one.truth.length > 0 && ["True boxes", one.truth.map(edges)],
    ["Found boxes", one.found.length ? one.found.map(edges) : "none"],
    one.flags.length > 0 && ["Flags", one.flags.map(flag)],
    others.length > 0 && ["Other runs", others.map(otherRun)],
  ]);
}

// What another run says of the same image, and the way there where the filter shows it.
function otherRun(other) {
  const what = [runName(other.run), el("span", `IoU ${figure(other.score)}`), result(other)];
  const there = visible.indexOf(other);
  return there < 0 ? el("div.other", what) : el("button.other", { type: "button", click: () => enlarge(there) }, what);
}

function step(by) {
  if (visible[current + by]) enlarge(current + by);
}

dialog.addEventListener("close", () => gallery.querySelector(`[data-case="${current}"]`)?.focus());
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});
dialog.addEventListener("keydown", (event) => {
  if (event.key === "ArrowRight") step(1);
  if (event.key === "ArrowLeft") step(-1);
});
