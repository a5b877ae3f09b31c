// What was asked for, and whether it holds: what fell stands first.
function gates() {
  const { all, fallen } = data.gates;
  if (!all) return null;
  const title = fallen ? `${fallen} of ${counted(all, "gate")} fell` : `${counted(all, "gate")} passed`;
  const columns = [
    { label: "Gate", kind: "name", cell: (gate) => name(gate.gate), sort: (gate) => gate.gate },
    { label: "Result", kind: "mark", cell: verdictOf, sort: (gate) => Number(gate.passed) },
    runColumn(),
    numberColumn("Value", (gate) => gate.value),
    { label: "Why", kind: "why", cell: (gate) => muted(gate.why) },
  ];
  return el(
    "section",
    { id: "gates", class: `verdict ${fallen ? "fell" : "passed"}`, "aria-labelledby": "gates-title" },
    el("h2", { id: "gates-title" }, el("span.sign", { "aria-hidden": "true" }, fallen ? "✗" : "✓"), title),
    table("Gates", columns, report.gates),
    leftOut("gates"),
  );
}

const verdictOf = (gate) => judged(gate.passed, "passed", "fell");

function judged(good, yes, no) {
  const sign = el("span", { "aria-hidden": "true" }, good ? "✓ " : "✗ ");
  return el(good ? "span.good" : "span.bad", sign, good ? yes : no);
}

function leftOut(what) {
  const count = data.left_out[what];
  return count ? el("p.lead", `${whole(count)} more are in report.json.`) : null;
}
