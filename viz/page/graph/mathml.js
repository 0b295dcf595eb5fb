// Formulas as MathML, from trees such as ["divide", 1, ["add", "x", "y"]].
//
// NOTATION[row] = [form, sign, rank] says how an operation is written, and how tightly it
// binds; what is not in it is a function call. Names are MathML already.

const MANY = 12; // terms that are written out

function mathml(tree) {
  return written(tree)[0];
}

// The markup, and the rank of the outermost operation.
function written(tree) {
  if (typeof tree === "number") return writtenNumber(tree);
  if (typeof tree === "string") return [tree, 9];
  const [row, ...operands] = tree;
  const [form, sign, rank] = NOTATION[row] || ["call", escaped(row), 9];
  return [FORMS[form](operands, sign, rank), rank];
}

// Four digits; a power of ten is a product, and a minus binds as in a sum.
function writtenNumber(x) {
  const [mantissa, exponent] = short(x).split("e");
  const rank = mantissa[0] === "-" ? 1 : exponent ? 3 : 9;
  const digits = (text) => `<mn>${text.replace("-", "−")}</mn>`;
  if (!exponent) return [digits(mantissa), rank];
  const power = `<msup><mn>10</mn>${digits(String(Number(exponent)))}</msup>`;
  return [`<mrow>${digits(mantissa)}<mo>·</mo>${power}</mrow>`, rank];
}

function wrapped(tree, least) {
  const [markup, rank] = written(tree);
  return rank < least ? fenced(markup) : markup;
}

function fenced(markup, left = "(", right = ")") {
  return `<mrow><mo>${left}</mo>${markup}<mo>${right}</mo></mrow>`;
}

function listed(operands) {
  const shown = operands.slice(0, MANY).map(mathml);
  if (shown.length < operands.length) shown.push("<mi>…</mi>");
  return shown.join("<mo>,</mo>");
}

const FORMS = {
  infix([x, y], sign, rank) {
    return `<mrow>${wrapped(x, rank)}<mo>${sign}</mo>${wrapped(y, rank + 1)}</mrow>`;
  },
  prefix: ([x], sign) => `<mrow><mo>${sign}</mo>${wrapped(x, 2)}</mrow>`,
  mod: ([x, y]) => `<mrow>${wrapped(x, 4)}<mo>mod</mo>${wrapped(y, 4)}</mrow>`,
  floored: (operands) => fenced(FORMS.fraction(operands), "⌊", "⌋"),
  fraction: ([x, y]) =>
    `<mfrac><mrow>${mathml(x)}</mrow><mrow>${mathml(y)}</mrow></mfrac>`,
  power: ([x, y]) => `<msup>${wrapped(x, 9)}<mrow>${mathml(y)}</mrow></msup>`,
  base: ([x], sign) => `<msup>${sign}<mrow>${mathml(x)}</mrow></msup>`,
  root: ([x]) => `<msqrt>${mathml(x)}</msqrt>`,
  fences: ([x], sign) => fenced(mathml(x), ...sign),
  sum(operands, sign, rank) {
    const shown = operands.slice(0, MANY).map((x) => wrapped(x, rank + 1));
    if (shown.length < operands.length) shown.push("<mi>…</mi>");
    return `<mrow>${shown.join(sign)}</mrow>`;
  },
  dot(operands) {
    const half = operands.length / 2;
    const term = (w, k) =>
      operands[half + k] === 1 ? w : ["multiply", w, operands[half + k]];
    return FORMS.sum(operands.slice(0, half).map(term), "<mo>+</mo>", 1);
  },
  call: (operands, sign) => `<mrow><mi>${sign}</mi>${fenced(listed(operands))}</mrow>`,
};

function derivative(y, x) {
  return `<mfrac><mrow><mi>∂</mi>${y}</mrow><mrow><mi>∂</mi>${x}</mrow></mfrac>`;
}

function equation(...sides) {
  const row = sides.join("<mo>=</mo>");
  return `<math display="block"><mrow>${row}</mrow></math>`;
}

// A label: digits at its end become an index.
function name(label) {
  const found = /^(.*?[^\d.])(\d{1,3})$/u.exec(label);
  const plain = (text) => `<mi>${escaped(text)}</mi>`;
  return found ? `<msub>${plain(found[1])}<mn>${found[2]}</mn></msub>` : plain(label);
}

function escaped(text) {
  const names = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return text.replace(/[&<>"']/g, (c) => names[c]);
}

// The partial derivative of a node for its operand k, as a tree in these names; the
// number where the formula says less.
function partialFormula(graph, i, k, names) {
  const { row, args, sizes } = graph.nodes[i];
  const known = ROWS[row];
  const number = graph.slopes[i][k];
  if (!known || (known.chooses && known.arity === null)) return number;
  const operands = args.map((j) =>
    graph.nodes[j].row === "" ? graph.data[j] : names(j),
  );
  if (row === "prod") {
    const others = operands.filter((_, n) => n !== k);
    return others.length ? ["prod", ...others] : 1;
  }
  if (known.arity !== null) {
    const tree = PARTIALS[row][k];
    if (ROWS[tree[0]]?.predicate) return number; // where: whether it was chosen
    return filled(tree, { ...operands, z: names(i) });
  }
  const [size] = sizes;
  const groups = sizes.map((_, g) => operands.slice(g * size, (g + 1) * size));
  return filled(PARTIALS[row][Math.floor(k / size)], { z: names(i) }, groups, k % size);
}

// A formula with what stands for its places: {n: "0"} is the first operand, or the one
// that is meant of the first group.
function filled(tree, places, groups = [], k = 0) {
  const fill = (t, at = k) => filled(t, places, groups, at);
  if (Array.isArray(tree)) return [tree[0], ...tree.slice(1).map((t) => fill(t))];
  if (typeof tree !== "object") return tree;
  if (tree.each) return ["sum", ...groups[0].map((_, n) => fill(tree.each, n))];
  return tree.n in places ? places[tree.n] : groups[tree.n][k];
}
