// Activations, their derivatives, where they are flat; and softmax of three numbers.

const FLAT = 0.01; // a smaller slope passes less than a hundredth of a gradient on
const { softmax, ...ACTIVATIONS } = CURVES;
const state = { name: "tanh", x: 1, logits: [1, 2, -1] };
const value = (x) => ACTIVATIONS[state.name](x)[0];
const slope = (x) => ACTIVATIONS[state.name](x)[1];

// From an edge inwards, how far the slope stays flat.
function flatUntil(edge, other) {
  const unit = (other - edge) / 2400;
  let k = 0;
  while (k < 2400 && Math.abs(slope(edge + k * unit)) < FLAT) k += 1;
  return edge + k * unit;
}

const flats = ([low, high]) => [
  [low, flatUntil(low, high)],
  [flatUntil(high, low), high],
];

function drawActivation(axes) {
  for (const [from, to] of flats(axes.x)) {
    const [left, right] = [axes.pixel("x", from), axes.pixel("x", to)];
    const [bottom, top] = axes.box.y;
    const width = Math.max(0, right - left);
    axes.add("rect", { x: left, y: top, width, height: bottom - top, class: "flat" });
  }
  axes.graph(slope, "slope");
  axes.graph(value, "");
  axes.dot([state.x, slope(state.x)], "slope");
}

function show() {
  const { name, x } = state;
  xKnob.set(x);
  for (const [row, f] of Object.entries(ACTIVATIONS)) {
    const [y, k] = f(x).map(places);
    $(`value-${row}`).textContent = y;
    $(`slope-${row}`).textContent = k;
  }
  plot.redraw();
  const size = Math.abs(slope(x));
  const [[, left], [right]] = flats(plot.x);
  const flat = size < FLAT && (x < left || x > right);
  const passes = flat
    ? "saturated, next to nothing of a gradient passes back through it"
    : `of a gradient of 1, ${short(slope(x))} passes back through it`;
  $("said").textContent = `${name}(${short(x)}) = ${short(value(x))}; ${passes}.`;
}

function chooser(name) {
  const pick = html("input", { type: "radio", name: "activation", value: name });
  pick.checked = name === state.name;
  pick.addEventListener("change", () => {
    state.name = name;
    show();
  });
  const label = html("label", {}, pick, ` ${name}`);
  const cells = ["value", "slope"].map((kind) => html("td", { id: `${kind}-${name}` }));
  return html("tr", {}, html("td", {}, label), ...cells);
}

const plot = new Axes($("plot"), {
  ...{ x: [-6, 6], y: [-1.6, 3.2], names: ["x", ""], draw: drawActivation },
});
const put = (x) => {
  state.x = x;
  show();
};
plot.handle({
  label: "x",
  at: () => [state.x, value(state.x)],
  move: put,
  said: () => [state.x, value(state.x), slope(state.x)].map((t) => short(t)).join("; "),
  ways: "x",
});
const xKnob = knob($("knobs"), {
  ...{ label: "x", min: -6, max: 6, step: 0.01, value: state.x, input: put },
});
$("table").append(...Object.keys(ACTIVATIONS).map(chooser));
show();

// -- Softmax

const shares = () => softmax(...state.logits);

function drawBars(axes, heights) {
  heights.forEach((height, k) => {
    const [[left, top], [right, bottom]] = [
      axes.at([k + 0.7, Math.max(0, height)]),
      axes.at([k + 1.3, Math.min(0, height)]),
    ];
    const size = { width: right - left, height: bottom - top };
    axes.add("rect", { x: left, y: top, ...size, class: "bar" });
  });
}

function showSoftmax() {
  logits.redraw();
  probabilities.redraw();
  const found = shares().map((p) => p.toFixed(4));
  rows(
    $("shares"),
    state.logits.map((z, k) => [String(k + 1), short(z), found[k]]),
  );
  const given = state.logits.map((z) => short(z)).join(", ");
  $("told").textContent = `softmax(${given}) = (${found.join(", ")}).`;
}

const logits = new Axes($("logits"), {
  ...{ x: [0.4, 3.6], y: [-4.3, 4.3], names: ["", "logit"], whole: 1 },
  draw: (axes) => drawBars(axes, state.logits),
});
const probabilities = new Axes($("probabilities"), {
  ...{ x: [0.4, 3.6], y: [0, 1.05], names: ["", "probability"], whole: 1 },
  draw: (axes) => drawBars(axes, shares()),
});
[0, 1, 2].forEach((k) => {
  logits.handle({
    label: `logit ${k + 1}`,
    at: () => [k + 1, state.logits[k]],
    move: (_, y) => {
      state.logits[k] = clamp(y, -4, 4);
      showSoftmax();
    },
    said: () => `${short(state.logits[k])}, probability ${short(shares()[k])}`,
    ways: "y",
  });
});
showSoftmax();
