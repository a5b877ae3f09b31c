// A table whose headers sort it. Each row is a body of its own, so that its details go with it; roles are written out
// because narrow screens lay rows out as cards, which would take them away.
// wanted: columns, as in columns.js; false ones are left out. details: makes what a row unfolds. switchable: rows of runs that are switched off are hidden.
let tables = 0;

function table(label, wanted, rows, { details, switchable } = {}) {
  const columns = wanted.filter(Boolean);
  const id = `table-${++tables}`;
  const bodies = rows.map((row, index) => bodyOf(row, `${id}-${index}`, columns, details, switchable));
  const whole = el("table", { role: "table", "aria-label": label });
  const reorder = (order) => {
    whole.append(...order.map((at) => bodies[at]));
    repeats(whole);
  };
  const heads = columns.map((column) => headOf(column, rows, reorder));
  if (details) heads.push(el("th", { role: "columnheader", scope: "col", class: "c-more" }, spoken("details")));
  whole.append(el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, heads)), ...bodies);
  repeats(whole);
  if (switchable) listeners.push(() => repeats(whole));
  return whole;
}

// A name that stands in the row above already is only for the ear.
function repeats(whole) {
  let above = null;
  for (const body of whole.tBodies) {
    if (body.hasAttribute("data-off")) continue;
    const here = body.rows[0].cells[0].textContent;
    body.toggleAttribute("data-again", here === above);
    above = here;
  }
}

function headOf(column, rows, reorder) {
  const kind = `c-${column.kind || "text"}`;
  if (!column.sort)
    return el(
      "th",
      { role: "columnheader", scope: "col", class: `${kind} still` },
      column.head ? column.head() : column.label,
    );
  const button = el("button", { type: "button", class: "sorter" }, column.label);
  const head = el("th", { role: "columnheader", scope: "col", class: kind, "aria-sort": "none" }, button);
  button.addEventListener("click", () => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const other of head.parentNode.querySelectorAll("[aria-sort]")) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    reorder(sorted([...rows.keys()], (index) => column.sort(rows[index]), up));
  });
  return head;
}

// Stable; what has no value comes last either way.
function sorted(items, key, up) {
  const compare = new Intl.Collator(undefined, { numeric: true }).compare;
  return [...items].sort((one, two) => {
    const [a, b] = [key(one), key(two)];
    if (a == null || b == null) return (a == null) - (b == null);
    const order = typeof a === "number" ? a - b : compare(a, b);
    return up ? order : -order;
  });
}

function bodyOf(row, id, columns, details, switchable) {
  const cells = columns.map((column, index) => {
    const attributes = { class: `c-${column.kind || "text"}`, "data-label": column.label || null };
    if (index) return el("td", { role: "cell", ...attributes }, column.cell(row));
    return el("th", { role: "rowheader", scope: "row", ...attributes }, column.cell(row));
  });
  const run = switchable ? { "data-run": numberOf(row.run), "data-off": hidden.has(numberOf(row.run)) } : {};
  const more = details && el("tr.details", { role: "row", id, hidden: true });
  if (details) {
    more.append(el("td", { role: "cell", colspan: columns.length + 1 }, details(row)));
    cells.push(el("td.c-more", { role: "cell" }, unfolds(more, `details of ${row.metric} ${row.run}`)));
  }
  return el("tbody", { role: "rowgroup", ...run }, el("tr", { role: "row" }, cells), more);
}

function unfolds(more, label) {
  const arrow = el("span.arrow", { "aria-hidden": "true" });
  const button = el(
    "button.more",
    { type: "button", "aria-expanded": "false", "aria-controls": more.id },
    arrow,
    spoken(label),
  );
  button.addEventListener("click", () => {
    more.hidden = !more.hidden;
    button.setAttribute("aria-expanded", String(!more.hidden));
  });
  return button;
}
