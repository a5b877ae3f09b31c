// Columns that several tables have: label, kind (a class for the style), what a row's cell shows and is sorted by.
const runColumn = () =>
  several && { label: "Run", kind: "run", cell: (row) => runName(row.run), sort: (row) => numberOf(row.run) };

const numberColumn = (label, value, { loud, signed } = {}) => ({
  label,
  kind: loud ? "number strong" : "number",
  cell: (row) => (loud ? figure(value(row), signed) : muted(figure(value(row), signed))),
  sort: value,
});

const countColumn = (label, count) => ({ label, kind: "number", cell: (row) => muted(whole(count(row))), sort: count });

const intervalColumn = (signed) => ({
  label: "95 % interval",
  kind: "number ends",
  cell: (row) => muted(interval(row.ci95, signed)),
  sort: (row) => row.ci95 && row.ci95[signed ? 0 : 1] - (signed ? 0 : row.ci95[0]),
});

// scale: of a row; the head names the ends where all rows have the same, else a row's own line has them. more: of a
// row, what else `whisker` draws.
function plotColumn(rows, scale, value, more = () => ({})) {
  const named = (row) => scale(row).map(tick);
  const head = distinct(rows.map((row) => named(row).join())).length === 1 ? named(rows[0]) : ["0", "1"];
  const own = (row) => (named(row).join() === head.join() ? null : named(row));
  return {
    label: "",
    kind: "plot",
    head: () => scaleEnds(head),
    cell: (row) =>
      whisker(scale(row), value(row), row.ci95, { ends: own(row), tone: toneOf(numberOf(row.run)), ...more(row) }),
  };
}

const tick = (value) => figure(value).replace(/\.?0+$/, "") || "0";
