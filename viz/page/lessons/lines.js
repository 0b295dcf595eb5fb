// Two to four neurons of one input, and their sum: a line, unless an activation bends
// each. A neuron is v * activation(w x + b).

const FIRST = [
  { w: 1, b: 1, v: 1 },
  { w: 1, b: -1, v: -2 },
  { w: -1, b: -2, v: 1 },
  { w: 0.5, b: -1, v: 3 },
];
const state = { count: 3, activation: "none", neurons: FIRST.map((n) => ({ ...n })) };
const used = () => state.neurons.slice(0, state.count);
const activation = (z) => CURVES[state.activation](z);
const neuron = ({ w, b, v }, x) => v * activation(w * x + b)[0];
const total = (x) => used().reduce((sum, n) => sum + neuron(n, x), 0);
const slope = (x) =>
  used().reduce((sum, { w, b, v }) => sum + v * w * activation(w * x + b)[1], 0);

// Where the slope of the sum jumps, by v |w| for each neuron that is 0 there; and the
// slopes between.
function kinks() {
  if (state.activation !== "relu") return [];
  const jumps = new Map();
  for (const { w, b, v } of used().filter((n) => n.w !== 0)) {
    const x = -b / w + 0;
    jumps.set(x, (jumps.get(x) || 0) + v * Math.abs(w));
  }
  const found = [...jumps].filter(([, jump]) => Math.abs(jump) > 1e-12);
  return found.map(([x]) => x).sort((x, y) => x - y);
}

function segments(places) {
  const ends = [places[0] - 1, ...places, places[places.length - 1] + 1];
  return ends.slice(1).map((x, k) => slope((x + ends[k]) / 2));
}

function drawLines(axes) {
  used().forEach((n, k) => axes.graph((x) => neuron(n, x), `part${k + 1}`));
  axes.graph(total, "sum");
  for (const x of kinks()) axes.dot([x, total(x)], "kink", 6);
}

function lineText() {
  const w = used().reduce((sum, n) => sum + n.v * n.w, 0);
  const b = used().reduce((sum, n) => sum + n.v * n.b, 0);
  const terms = used().map((n) => `${short(n.v)}·(${short(n.w)} x${signed(n.b)})`);
  const sum = `${short(w)} x${signed(b)}`;
  return `${terms.join(" + ")} = ${sum}: one line, as one neuron has.`;
}

function reluText() {
  const found = kinks();
  if (!found.length) return "No kinks are left: the sum is a line.";
  const where = found.map((x) => short(x)).join(", ");
  const slopes = segments(found).map((k) => short(rounded(k, 1e-9)));
  return `The sum has kinks at x = ${where}; its slopes between: ${slopes.join(", ")}.`;
}

function tanhText() {
  const slopes = [-4, -2, 0, 2, 4].map((x) => short(slope(x), 3)).join(", ");
  return `The sum has no kinks, yet is no line: its slopes at -4 ... 4 are ${slopes}.`;
}

const TEXTS = { none: lineText, relu: reluText, tanh: tanhText };

function show() {
  used().forEach((n, k) => {
    for (const [key, { set }] of Object.entries(knobs[k])) set(n[key]);
  });
  cards.forEach((card, k) => (card.hidden = k >= state.count));
  plot.redraw();
  plot.handles.forEach(({ group }, k) => {
    group.style.display = k < state.count && state.neurons[k].w !== 0 ? "" : "none";
  });
  $("said").textContent = TEXTS[state.activation]();
}

const WORDS = { w: "weight w", b: "bias b", v: "weight v in the sum" };
const knobs = [];

function card(n, k) {
  const name = html("legend", {}, `neuron ${k + 1} `, html("i", { class: "key" }));
  const made = html("fieldset", { class: `neuron part${k + 1}` }, name);
  const entries = Object.entries(WORDS).map(([key, label]) => {
    const input = (number) => {
      n[key] = number;
      show();
    };
    const range = { min: -3, max: 3, step: 0.1 };
    return [key, knob(made, { label, ...range, value: n[key], input })];
  });
  knobs.push(Object.fromEntries(entries));
  return made;
}

const cards = state.neurons.map(card);
$("neurons").append(...cards);
const plot = new Axes($("plot"), { x: [-5, 5], y: [-5, 5], draw: drawLines });
state.neurons.forEach((n, k) => {
  plot.handle({
    label: `where neuron ${k + 1} is 0`,
    at: () => [n.w === 0 ? 0 : -n.b / n.w, 0],
    move: (x) => {
      n.b = rounded(-n.w * x, 1e-6);
      show();
    },
    said: () => `x ${short(-n.b / n.w + 0)}, bias ${short(n.b)}`,
    ways: "x",
    look: `part${k + 1}`,
  });
});
for (const [id, read] of [
  ["count", Number],
  ["activation", String],
]) {
  $(id).addEventListener("change", (event) => {
    state[id] = read(event.target.value);
    show();
  });
}
$("reset").addEventListener("click", () => {
  state.neurons.forEach((n, k) => Object.assign(n, FIRST[k]));
  show();
});
show();
