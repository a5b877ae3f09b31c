// Everything in its place.
function header() {
  const { dataset, protocol, timing } = report;
  const title = ending(dataset.path, 2);
  document.title = `${title} · camtool evaluate`;
  const facts = [
    counted(dataset.images, "image"),
    counted(dataset.classes, "class"),
    counted(runs.length, "run"),
    `protocol ${protocol.name}${protocol.modified.length ? ", modified" : ""}`,
    timing.written?.slice(0, 16).replace("T", " "),
  ];
  return el(
    "header",
    el("p.over", "camtool evaluate"),
    el("h1", name(title), dataset.split && el("span.muted", " ", name(dataset.split))),
    el(
      "p.facts",
      facts.filter(Boolean).map((fact) => el("span", fact)),
    ),
  );
}

const parts = [numbers(), curves(), comparisons(), changes(), groups(), cases(), leftOutOfAll(), about()].filter(
  Boolean,
);
const links = parts.map((part) => el("a", { href: `#${part.id}` }, part.querySelector("h2").textContent));
const all = [header(), gates(), el("nav", { "aria-label": "Sections" }, links), ...parts];
document.getElementById("report").append(...all.filter(Boolean));
