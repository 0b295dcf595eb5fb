// A line through points, its mean squared error, and gradient descent on it.
//
// The error is a quadratic of slope and intercept, so that all about it is known: its
// least value, its contours, which are ellipses, and the largest learning rate that
// converges, 2 / (the larger eigenvalue of its Hessian).

const xs = DATA.x.map(number);
const ys = DATA.y.map(number);
const mean = (f) => xs.reduce((sum, x, i) => sum + f(x, ys[i]), 0) / xs.length;
const loss = (m, b) => mean((x, y) => (y - (m * x + b)) ** 2);
const gradient = (m, b) => [
  -2 * mean((x, y) => x * (y - (m * x + b))),
  -2 * mean((x, y) => y - (m * x + b)),
];

// -- What is known of the surface

const MEAN = [mean((x) => x), mean((x, y) => y)];
const SPREAD = mean((x) => (x - MEAN[0]) ** 2);
const BEST = (() => {
  const slope = mean((x, y) => (x - MEAN[0]) * (y - MEAN[1])) / SPREAD;
  return [slope, MEAN[1] - slope * MEAN[0]];
})();
const HESSIAN = [2 * mean((x) => x * x), 2 * MEAN[0], 2]; // of m m, m b, b b
const [STEEP, FLAT] = (() => {
  const [a, c, d] = HESSIAN;
  const large = (a + d) / 2 + Math.hypot((a - d) / 2, c);
  return [large, (4 * SPREAD) / large];
})();
const LIMIT = 2 / STEEP;

// How much the error is above its least, and the contour where it is so much above.
function excess([m, b]) {
  const [u, v] = [m - BEST[0], b - BEST[1]];
  return (HESSIAN[0] * u * u + 2 * HESSIAN[1] * u * v + HESSIAN[2] * v * v) / 2;
}

function contour(height) {
  const [a, c, d] = HESSIAN;
  let [u, v] = a >= d ? [STEEP - d, c] : [c, STEEP - a];
  const length = Math.hypot(u, v) || 1;
  [u, v] = length === 1 && u === 0 && v === 0 ? [1, 0] : [u / length, v / length];
  const [p, q] = [Math.sqrt((2 * height) / STEEP), Math.sqrt((2 * height) / FLAT)];
  return Array.from({ length: 181 }, (_, k) => {
    const angle = (k * Math.PI) / 90;
    const [s, t] = [p * Math.cos(angle), q * Math.sin(angle)];
    return [BEST[0] + s * u - t * v, BEST[1] + s * v + t * u];
  });
}

// What a learning rate does: a word, and why. Each step multiplies the distance from
// the best line by 1 - rate * eigenvalue, across the valley and along it.
function verdict(rate) {
  const [across, along] = [1 - rate * STEEP, 1 - rate * FLAT];
  const [p, q] = [short(across), short(along, 6)];
  if (rate === 0) return ["stands still", "a step is the rate times the gradient: 0."];
  if (rate < 0) return ["climbs", "a negative rate goes up the slope."];
  if (Math.abs(across + 1) < 1e-9) {
    return ["never arrives", "each step jumps across the valley, as high as before."];
  }
  if (across < -1) {
    return [
      "diverges",
      `each step multiplies the distance across the valley by ${p}: it changes ` +
        "sides, and grows.",
    ];
  }
  const slowest = Math.max(Math.abs(across), Math.abs(along));
  const steps = Math.ceil(Math.log(100) / -Math.log(slowest));
  const time = `About ${steps.toLocaleString("en")} steps to a hundredth of it.`;
  const factors = `across the valley by ${p}, along it by ${q}`;
  if (rate < LIMIT / 10) {
    return ["crawls", `each step multiplies the distance ${factors}. ${time}`];
  }
  const sides = across < 0 ? "It changes sides and shrinks. " : "";
  return ["converges", `each step multiplies the distance ${factors}. ${sides}${time}`];
}

// -- The state, and what changes it

const START = [0, 0];
const state = { path: [START], rate: 0.1 };
const now = () => state.path[state.path.length - 1];
const finite = (point) => point.every(Number.isFinite);

function next([m, b]) {
  const [dm, db] = gradient(m, b);
  return [m - state.rate * dm, b - state.rate * db];
}

// A descent begins where the reader puts the line.
function put(m, b) {
  runner.stop();
  state.path = [[m, b]];
  show();
}

// One step; false when there is nowhere left to go.
function step() {
  const [from, to] = [now(), next(now())];
  if (!finite(from) || (from[0] === to[0] && from[1] === to[1])) return false;
  state.path.push(to);
  return finite(to) && state.path.length < 20000;
}

function setRate(rate) {
  state.rate = rate;
  show();
}

// -- The points, the line and the squares

// A square on the error of each point, on the side that the line leaves free.
function squares(m, b) {
  return xs.map((x, i) => {
    const error = ys[i] - (m * x + b);
    const left = error > 0 === m >= 0;
    const size = Math.abs(error);
    return { x: left ? x - size : x, y: Math.max(ys[i], m * x + b), size };
  });
}

const bounds = (numbers) => [Math.min(...numbers), Math.max(...numbers)];
const padded = ([low, high]) => {
  const margin = 0.08 * (high - low);
  return [low - margin, high + margin];
};
const ENDS = bounds(xs);

function drawPoints(axes) {
  const [m, b] = now();
  const scale = (axes.box.x[1] - axes.box.x[0]) / (axes.x[1] - axes.x[0]);
  for (const { x, y, size } of finite(now()) ? squares(m, b) : []) {
    const [left, top] = axes.at([x, y]);
    const side = Math.min(size * scale, 2 * FAR);
    axes.add("rect", { x: left, y: top, width: side, height: side, class: "square" });
  }
  if ($("best").checked) axes.line(...BEST, "best");
  if (finite(now())) axes.line(m, b, "model");
  xs.forEach((x, i) => axes.dot([x, ys[i]], "point"));
}

// Handles at both ends turn the line about the other end; the middle one lifts it.
function holdLine(axes) {
  const value = (x) => now()[0] * x + now()[1];
  const through = (x, y, [otherX, otherY]) => {
    const m = (y - otherY) / (x - otherX);
    put(m, otherY - m * otherX);
  };
  const lift = (dy) => put(now()[0], now()[1] + dy);
  const said = (x) => () => `${short(value(x))}; ${equation(...now())}`;
  const [low, high] = ENDS;
  const middle = (low + high) / 2;
  const handles = [
    ["left end of the line", low, (y) => through(low, y, [high, value(high)])],
    ["middle of the line: its height", middle, (y) => lift(y - value(middle))],
    ["right end of the line", high, (y) => through(high, y, [low, value(low)])],
  ];
  for (const [label, x, move] of handles) {
    const at = () => [x, value(x)];
    axes.handle({ label, at, move: (_, y) => move(y), said: said(x), ways: "y" });
  }
}

// -- The surface

const LEVELS = [1, 0.8, 0.62, 0.46, 0.33, 0.22, 0.13, 0.06, 0.02, 0.004];
const EQUAL = STEEP / FLAT < 2000; // one scale for slope and intercept

const REACH = (() => {
  const size = Math.max(...xs.map(Math.abs));
  const [m, b] = BEST.map(Math.abs);
  const slope = 1.3 * Math.max(m, EQUAL ? b : b / size) || 1;
  return [slope, EQUAL ? slope : 1.3 * Math.max(b, m * size) || 1];
})();

// The view: as it was, doubled until it holds where the descent is.
function surfaceView() {
  const point = state.path.findLast(finite) || START;
  const far = Math.max(...point.map((x, k) => Math.abs(x - BEST[k]) / REACH[k]));
  const times = far > 1 ? 2 ** Math.ceil(Math.log2(far)) : 1;
  const around = (k) => [BEST[k] - times * REACH[k], BEST[k] + times * REACH[k]];
  return [around(0), around(1)];
}

function drawSurface(axes) {
  const corners = axes.x.flatMap((m) => axes.y.map((b) => excess([m, b])));
  const highest = Math.max(...corners);
  for (const level of LEVELS) axes.curve(contour(level * highest), "level");
  if ($("best").checked) axes.dot(BEST, "optimum", 6);
  const shown = state.path.filter(finite).slice(-2000);
  axes.curve(shown, "path");
  const dots = shown.slice(-300).map((point) => `M${axes.at(point).join(" ")}h0`);
  axes.add("path", { d: dots.join(""), class: "steps" });
  if (!finite(now())) return;
  const here = axes.at(now());
  const after = next(now());
  if (finite(after)) axes.arrow(here, axes.at(after), "step");
  const [dm, db] = gradient(...now());
  const [px, py] = axes.at([now()[0] + dm, now()[1] + db]);
  const length = Math.hypot(px - here[0], py - here[1]);
  const seen = Math.min(length, 20 + 14 * Math.log1p(length / 20)) / length;
  const tip = [here[0] + (px - here[0]) * seen, here[1] + (py - here[1]) * seen];
  axes.arrow(here, tip, "uphill");
}

// -- All of the page

const equation = (m, b) => `y = ${short(m)} x${signed(b)}`;

function show() {
  const [m, b] = now();
  const [dm, db] = gradient(m, b);
  const pairs = [
    ["line", equation(m, b)],
    ["MSE", short(loss(m, b), 6)],
    ["∂MSE/∂slope", short(dm, 6)],
    ["∂MSE/∂intercept", short(db, 6)],
    ["steps taken", String(state.path.length - 1)],
  ];
  const best = `${equation(...BEST)}, MSE ${short(loss(...BEST), 6)}`;
  if ($("best").checked) pairs.push(["best line", best]);
  facts($("numbers"), pairs);
  slopeKnob.set(m);
  interceptKnob.set(b);
  rateKnob.set(state.rate);
  const [word, why] = verdict(state.rate);
  $("verdict").replaceChildren(
    `Rate ${short(state.rate)} `,
    html("strong", { class: word === "diverges" ? "bad" : "" }, word),
    `: ${why}`,
  );
  $("limit").textContent =
    `The largest stable rate is 2/λ = 2/${short(STEEP)} = ${short(LIMIT)}, where λ ` +
    "is the larger eigenvalue of the Hessian, the curvature across the valley. " +
    `Along it the curvature is ${short(FLAT)}.`;
  showTable();
  surface.show(...surfaceView());
  plot.redraw();
  surface.redraw();
  if (!runner.timer) say();
}

function say() {
  const [m, b] = now();
  const end = finite(now()) ? "" : " The numbers have left what a float can hold.";
  const error = loss(m, b);
  $("said").textContent =
    `Step ${state.path.length - 1}: ${equation(m, b)}, MSE ${short(error)}. ` +
    `Rate ${short(state.rate)} ${verdict(state.rate)[0]}.${end}`;
}

// The first four steps from where the descent began, at this rate; then where it is.
function showTable() {
  const steps = [state.path[0]];
  while (steps.length < 5) steps.push(next(steps[steps.length - 1]));
  const taken = state.path.length - 1;
  if (taken > 4) steps.push(now());
  const cells = steps.map(([m, b], k) => {
    const numbers = [m, b, loss(m, b), ...gradient(m, b)].map(places);
    return [String(k < 5 ? k : taken), ...numbers];
  });
  rows($("table"), cells, (k) => ((k < 5 ? k : taken) === taken ? "now" : ""));
}

const runner = new Runner({ step, reset: () => put(...START), shown: () => show() });

const plot = new Axes($("plot"), {
  x: padded(bounds([...xs, ...squares(...START).flatMap((s) => [s.x, s.x + s.size])])),
  y: padded(bounds([...ys, 0])),
  names: DATA.names,
  equal: true,
  draw: drawPoints,
});
const [viewM, viewB] = surfaceView();
const surface = new Axes($("surface"), {
  x: viewM,
  y: viewB,
  names: ["slope", "intercept"],
  equal: EQUAL,
  draw: drawSurface,
});
$("scales").textContent = EQUAL
  ? "Both axes have one scale: the gradient stands at right angles to the contours."
  : "The axes have different scales, so that right angles are not seen as such.";

// A slider over an axis of the surface, in steps of a power of ten.
function parameter(label, k, change) {
  const unit = decade(REACH[k] / 50);
  const [min, max] = [-3, 3].map((t) => rounded(BEST[k] + t * REACH[k], 10 * unit));
  return knob($("line"), { label, min, max, step: unit, value: 0, input: change });
}

const slopeKnob = parameter("slope", 0, (m) => put(m, now()[1]));
const interceptKnob = parameter("intercept", 1, (b) => put(now()[0], b));
const rateUnit = decade(LIMIT / 100);
const rateKnob = knob($("rate"), {
  label: "learning rate",
  min: 0,
  max: rounded(1.3 * LIMIT, rateUnit),
  step: rateUnit,
  value: state.rate,
  input: setRate,
});
const limitMark = html("div", { class: "limit", "aria-hidden": true }, "▲ 2/λ");
limitMark.style.setProperty("--at", LIMIT / rateKnob.max);
rateKnob.whole.append(limitMark);
holdLine(plot);
surface.handle({
  label: "slope and intercept",
  at: now,
  move: put,
  said: () => `slope ${short(now()[0])}, intercept ${short(now()[1])}`,
});
$("best").addEventListener("change", () => show());
document.querySelector("h1").textContent = DATA.title;
$("note").textContent = DATA.note;
if (state.rate >= LIMIT) state.rate = rounded(LIMIT / 2, decade(LIMIT / 2));
show();
