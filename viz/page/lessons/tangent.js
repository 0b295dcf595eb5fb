// A curve, its tangent where the reader puts x, and steps against the slope.

const NAMES = Object.keys(CURVES);
const state = { name: NAMES[0], path: [2], rate: 0.1 };
const now = () => state.path[state.path.length - 1];
const value = (x) => CURVES[state.name](x)[0];
const slope = (x) => CURVES[state.name](x)[1];

function put(x) {
  runner.stop();
  state.path = [x];
  show();
}

// One step; false when there is nowhere left to go.
function step() {
  const to = now() - state.rate * slope(now());
  if (!Number.isFinite(now()) || to === now()) return false;
  state.path.push(to);
  return Number.isFinite(to) && state.path.length < 5000;
}

function drawCurve(axes) {
  axes.graph(value, "");
  const shown = state.path.slice(-300).filter(Number.isFinite);
  const dots = shown.map((x) => `M${axes.at([x, value(x)]).join(" ")}h0`);
  axes.add("path", { d: dots.join(""), class: "steps" });
  const [x, y, k] = [now(), value(now()), slope(now())];
  if (![x, y, k].every(Number.isFinite)) return;
  axes.line(k, y - k * x, "tangent");
  const here = axes.at([x, y]);
  axes.arrow(here, [axes.pixel("x", x - state.rate * k), here[1]], "step");
}

function show() {
  const [x, k] = [now(), slope(now())];
  const to = x - state.rate * k;
  facts($("numbers"), [
    ["x", short(x, 6)],
    ["y", short(value(x), 6)],
    ["slope of the tangent", `${DATA[NAMES.indexOf(state.name)]} = ${short(k, 6)}`],
    ["next x", `${short(x)} - ${short(state.rate)} · ${short(k)} = ${short(to, 6)}`],
    ["steps taken", String(state.path.length - 1)],
  ]);
  xKnob.set(x);
  rateKnob.set(state.rate);
  if (!runner.timer) say();
  plot.redraw();
}

function say() {
  const [x, k] = [now(), slope(now())];
  const way = k > 0 ? "smaller" : "larger";
  const why =
    k === 0
      ? "The slope is 0: a step goes nowhere."
      : Number.isFinite(k)
        ? `y falls where x gets ${way}, against the slope.`
        : "The numbers have left what a float can hold.";
  $("said").textContent =
    `At x = ${short(x)}: y = ${short(value(x))}, slope ${short(k)}. ${why}`;
}

const runner = new Runner({ step, reset: () => put(2), shown: show });
const plot = new Axes($("plot"), { x: [-3.2, 3.2], y: [-2.4, 5], draw: drawCurve });
plot.handle({
  label: "x",
  at: () => [now(), value(now())],
  move: (x) => put(x),
  said: () => $("said").textContent,
  ways: "x",
});
const xKnob = knob($("knobs"), {
  ...{ label: "x", min: -3, max: 3, step: 0.01, value: 2 },
  input: put,
});
const rateKnob = knob($("knobs"), {
  ...{ label: "learning rate", min: 0, max: 1.2, step: 0.01, value: state.rate },
  input: (rate) => {
    state.rate = rate;
    show();
  },
});
for (const name of NAMES) $("curve").append(html("option", {}, name));
$("curve").addEventListener("change", (event) => {
  state.name = event.target.value;
  put(state.path[0]);
});
show();
