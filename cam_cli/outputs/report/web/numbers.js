// Every number of every run, a table a group of metrics; the runs of one metric stand together.
function numbers() {
  const every = report.runs.flatMap((run) => run.metrics.map((one) => ({ ...one, run: run.run })));
  if (!every.length) return null;
  const bases = distinct(every.flatMap((one) => Object.keys(one.baselines)));
  const names = distinct(every.map((one) => one.metric));
  const scales = new Map(
    names.map((metric) => [metric, scaleOf(every.filter((one) => one.metric === metric).flatMap(values))]),
  );
  const scale = (one) => scales.get(one.metric);
  const baselines = (one) => ({ baselines: bases.map((base) => one.baselines[base]?.value) });
  const place = (one) => names.indexOf(one.metric);
  const tablesOf = distinct(every.map((one) => one.group)).map((group) => {
    const rows = every.filter((one) => one.group === group).sort((one, two) => place(one) - place(two));
    const shown = bases.filter((base) => rows.some((one) => one.baselines[base]));
    const columns = [
      { label: "Metric", kind: "name", cell: metricName, sort: place },
      runColumn(),
      numberColumn("Value", (one) => one.value, { loud: true }),
      intervalColumn(),
      plotColumn(rows, scale, (one) => one.value, baselines),
      ...shown.map((base) => numberColumn(base, (one) => one.baselines[base]?.value)),
      countColumn("n", (one) => one.n),
    ];
    return [el("h3", group), table(`Numbers: ${group}`, columns, rows, { details: metricDetails, switchable: true })];
  });
  return section("numbers", "Numbers", key(bases), runSwitches(), tablesOf);
}

const values = (one) => [
  one.value,
  ...(one.ci95 || []),
  ...Object.values(one.baselines || {}).map((base) => base.value),
];

function metricName(one) {
  const direction = one.higher_is_better ? "higher is better" : "lower is better";
  const arrow = el("span", { "aria-hidden": "true" }, one.higher_is_better ? " ↑" : " ↓");
  return [
    name(one.metric),
    el("span.muted", { title: direction }, arrow, spoken(`, ${direction}`)),
    one.oracle && [" ", el("span.tag", "hindsight")],
  ];
}

function metricDetails(one) {
  return listing([
    data.summaries[one.metric] && ["What it is", data.summaries[one.metric]],
    one.value == null && ["No value", one.why || "it could not be computed"],
    one.oracle && ["Hindsight", "chosen on these images; not to be compared with a number at a fixed threshold"],
    ...Object.entries(one.computed_with).map(([term, value]) => [term.replaceAll("_", " "), plainly(value)]),
    ...Object.entries(one.baselines).map(([base, it]) => [name(base), `${figure(it.value)} (${interval(it.ci95)})`]),
  ]);
}

function key(bases) {
  const sample = (...parts) => svg("svg.sample", { width: 30, height: 20, "aria-hidden": "true" }, parts);
  return el(
    "p.key",
    el("span", sample(span(2, 26), dot(15)), "value in its 95 % interval"),
    bases.map((base, index) => el("span", sample(mark(15, index)), el("span", name(base), " baseline"))),
    muted(`bootstrap over images, ${whole(report.settings.resamples)} resamples`),
  );
}
