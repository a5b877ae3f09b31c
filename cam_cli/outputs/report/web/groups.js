// Every number once more for each value of a column.
function groups() {
  const every = report.runs.flatMap((run) =>
    run.groups.flatMap(({ column, value: group, images, metrics }) =>
      metrics.map((one) => ({ ...one, run: run.run, column, group, images })),
    ),
  );
  if (!every.length) return null;
  const columns = distinct(every.map((one) => one.column));
  const metrics = distinct(every.map((one) => one.metric));
  const state = { column: columns[0], metric: metrics[0] };
  const shown = el("div");
  function draw() {
    const some = every.filter((one) => one.column === state.column && one.metric === state.metric);
    const names = distinct(some.map((one) => one.group));
    const rows = some.sort((one, two) => names.indexOf(one.group) - names.indexOf(two.group));
    const scale = scaleOf(rows.flatMap(values));
    const columnsOfOne = [
      { label: state.column, kind: "name", cell: (one) => name(one.group), sort: (one) => one.group },
      runColumn(),
      numberColumn("Value", (one) => one.value, { loud: true }),
      intervalColumn(),
      plotColumn(
        rows,
        () => scale,
        (one) => one.value,
      ),
      countColumn("n", (one) => one.n),
      countColumn("images", (one) => one.images),
    ];
    shown.replaceChildren(table(`${state.metric} by ${state.column}`, columnsOfOne, rows));
  }
  const pick = (label, options, part) =>
    choice(label, options, (chosen) => {
      state[part] = options[chosen];
      draw();
    });
  draw();
  const tools = el("div.tools", columns.length > 1 && pick("By", columns, "column"), pick("Metric", metrics, "metric"));
  return section("groups", "Groups", tools, shown, leftOut("groups"));
}
