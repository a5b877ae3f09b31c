// What was left out, and what the numbers were made with.
function leftOutOfAll() {
  const { dataset } = report;
  const entries = [
    ["failed image, counted as a miss", dataset.failed.count, dataset.failed.ids],
    ["image without truth", dataset.without_truth.count, dataset.without_truth.ids],
    ["image without a map, counted as a miss", dataset.missing_maps.count, dataset.missing_maps.ids],
    ["class that the model does not know", dataset.unknown_classes.count, dataset.unknown_classes.names],
    ...dataset.notes.map((note) => [note.what, note.count, note.where]),
  ].filter(([, count]) => count);
  const nothing = el("p.lead", "Nothing failed, and nothing was left out.");
  return section("left-out", "Left out", entries.length ? entries.map(omission) : nothing);
}

function omission([what, count, names]) {
  const more = count - names.length;
  return el(
    "details",
    { open: count <= 5 },
    el("summary", el("b", whole(count)), ` × ${what}`),
    el(
      "ul.names",
      names.map((one) => el("li", name(one))),
    ),
    more > 0 && el("p.lead", `${whole(more)} more are in report.json.`),
  );
}

function about() {
  const { dataset, protocol, settings, versions, timing } = report;
  const { name: called, modified, ...rules } = protocol;
  const plain = (pairs) => Object.entries(pairs).map(([term, value]) => [term.replaceAll("_", " "), plainly(value)]);
  const protocolSheet = [["name", called], modified.length > 0 && ["modified", modified.join(", ")], ...plain(rules)];
  const datasetSheet = [
    ["path", name(dataset.path)],
    ["format", dataset.format],
    ["with labels", whole(dataset.with_labels)],
    ["with boxes", whole(dataset.with_boxes)],
    ["with masks", whole(dataset.with_masks)],
    dataset.class_map && ["class map", plainly(dataset.class_map)],
  ];
  const settingsSheet = [...plain(settings), timing.seconds != null && ["seconds", plainly(timing.seconds)]];
  return section(
    "about",
    "Made with",
    el(
      "pre",
      { tabindex: 0, role: "group", "aria-label": "Command" },
      el("code", ["camtool", ...report.command].map(quoted).join(" ")),
    ),
    el(
      "div.sheets",
      sheet("Protocol", protocolSheet),
      sheet("Dataset", datasetSheet),
      report.runs.map((run) => sheet(runName(run.run), runSheet(run))),
      sheet("Settings", settingsSheet),
      sheet("Versions", plain(versions)),
    ),
  );
}

const sheet = (title, pairs) => el("div", el("h3", title), listing(pairs));

const runSheet = (run) => [
  ["network", name(run.network)],
  ["method", run.method],
  ["layers", name(run.layers.join(", ") || NONE)],
  run.weights && ["weights", name(run.weights)],
  run.sha256 && ["sha256", el("code", run.sha256.slice(0, 16))],
];

// As a shell reads it.
const quoted = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`);
