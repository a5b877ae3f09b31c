// Runs against each other, and against an earlier report. `sign`: 1 for the better, -1 for the worse, 0 may be chance.
function comparisons() {
  const pair = (one) => `${one.a} − ${one.b}`;
  const lead = "Pair by pair on the same images: the first run less the second.";
  return differences("comparisons", "Comparisons", lead, [
    { label: "Runs", kind: "pair", cell: (one) => [name(one.a), " − ", name(one.b)], sort: pair },
  ]);
}

function changes() {
  const olds = distinct(report.changes.map((one) => one.baseline));
  const lead = [
    "Against ",
    olds.map((old, index) => [index ? ", " : "", name(old)]),
    ": after less before, pair by pair on the same images.",
  ];
  return differences("changes", "Changes", lead, [
    runColumn(),
    numberColumn("Before", (one) => one.before),
    numberColumn("After", (one) => one.after),
  ]);
}

function differences(id, title, lead, columnsOfOne) {
  const every = report[id];
  if (!every.length) return null;
  // One scale for all that are shares, so that rows can be held against each other; others have their own.
  const isShare = (one) => ends(one).every((value) => Math.abs(value) <= 1);
  const shared = around(every.filter(isShare).flatMap(ends));
  const scale = (one) => (isShare(one) ? shared : around(ends(one)));
  const zero = () => ({ zero: true });
  const draw = (rows) => {
    const columns = [
      { label: "Metric", kind: "name", cell: (one) => name(one.metric), sort: (one) => one.metric },
      ...columnsOfOne,
      numberColumn("Difference", (one) => one.difference, { loud: true, signed: true }),
      intervalColumn(true),
      plotColumn(rows, scale, (one) => one.difference, zero),
      countColumn("n", (one) => one.n),
      { label: "Verdict", kind: id === "changes" ? "verdict" : "verdict long", cell: verdict, sort: (one) => one.sign },
    ];
    return table(title, columns, rows);
  };
  const shown = el("div", draw(every));
  const metrics = distinct(every.map((one) => one.metric));
  const pick = choice("Metric", ["all", ...metrics], (chosen) =>
    shown.replaceChildren(draw(chosen ? every.filter((one) => one.metric === metrics[chosen - 1]) : every)),
  );
  return section(id, title, el("p.lead", lead), metrics.length > 1 && el("div.tools", pick), shown, leftOut(id));
}

const ends = (one) => [one.difference, ...(one.ci95 || [])].filter((value) => value != null);

function verdict(one) {
  if (one.sign == null) return muted(NONE);
  if (one.sign === 0) return muted("may be chance");
  if (one.a == null) return judged(one.sign > 0, "better", "worse");
  return el("span", name(one.sign > 0 ? one.a : one.b), " is better");
}
