// Elements, and numbers as text. Text from the report only ever becomes a text node or an attribute's value.
const HTML = "http://www.w3.org/1999/xhtml";
const SVG = "http://www.w3.org/2000/svg";
const el = (what, ...parts) => made(HTML, what, parts);
const svg = (what, ...parts) => made(SVG, what, parts);

// what: "tag.class.class"; then, if there are any, attributes and listeners; then children, of which falsy ones are left
// out and lists are unfolded.
function made(space, what, parts) {
  const [tag, ...classes] = what.split(".");
  const node = document.createElementNS(space, tag);
  if (classes.length) node.setAttribute("class", classes.join(" "));
  const attributes = parts[0]?.constructor === Object ? parts.shift() : {};
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(key, value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value != null) node.setAttribute(key, value);
  }
  node.append(...parts.flat(9).filter((one) => one != null && one !== false));
  return node;
}

// A name of a file, class or run: its direction of writing stays its own, and lines break where its parts end.
function name(text) {
  const pieces = String(text).split(/(?<=[._/\\-])(?=[^._/\\-])/);
  return el(
    "bdi.name",
    { title: text.length > 60 && text },
    pieces.flatMap((piece, at) => (at ? [el("wbr"), piece] : [piece])),
  );
}

const muted = (...children) => el("span.muted", ...children);
const spoken = (text) => el("span.spoken", text);

const NONE = "–";
const distinct = (items) => [...new Set(items)];

// As report.md has it: a tie, which at three decimals is an odd number of sixteenths and at one of quarters, goes to the
// even digit, where toFixed goes up.
function rounded(size, count, parts) {
  const text = size.toFixed(count);
  const down = (size * parts) % 2 === 1 && text.at(-1) % 2 === 1;
  return down ? (Number(text) - 10 ** -count).toFixed(count) : text;
}

function figure(value, signed) {
  if (value == null) return NONE;
  const size = Math.abs(value);
  const text = size < 10 ? rounded(size, 3, 16) : rounded(size, 1, 4);
  if (!Number(text)) return text;
  return (value < 0 ? "−" : signed ? "+" : "") + text;
}

const interval = (ends, signed) => (ends ? ends.map((end) => figure(end, signed)).join(" … ") : NONE);
const whole = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, "\u202f");
const counted = (count, noun) =>
  `${whole(count)} ${count === 1 ? noun : noun.endsWith("s") ? noun + "es" : noun + "s"}`;

// The last parts of a path, of either kind.
function ending(path, parts) {
  const all = path.replace(/[\\/]+$/, "").split(/[\\/]/);
  return all.slice(-parts).join("/") || path;
}

function plainly(value) {
  if (value === true) return "yes";
  if (value === false) return "no";
  if (value == null) return "none";
  if (Array.isArray(value)) return value.map(plainly).join(", ");
  if (typeof value !== "object") return String(value);
  const pairs = Object.entries(value).map(([key, one]) => `${key} ${plainly(one)}`);
  return pairs.join(", ");
}

// Term and description, for what is read rather than compared.
function listing(pairs) {
  const lines = pairs.filter(Boolean).map(([term, ...what]) => el("div", el("dt", term), el("dd", ...what)));
  return el("dl", lines);
}

const section = (id, title, ...children) =>
  el("section", { id, "aria-labelledby": `${id}-title` }, el("h2", { id: `${id}-title` }, title), ...children);

// change: told the number of the text that was chosen.
function choice(label, texts, change) {
  const options = texts.map((text) => el("option", text));
  const select = el("select", { change: () => change(select.selectedIndex) }, options);
  return el("label.choice", el("span", label), select);
}
