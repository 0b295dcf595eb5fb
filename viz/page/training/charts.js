// Charts on canvases, in the colours of the page, as sharp as the screen.

const SHAPES = ["circle", "square", "triangle", "diamond"];

function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// What a custom property of the page is now: other in the dark than in the light.
function shade(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function line(i) {
  return shade(`--c${i % 7}`);
}

// The colour of class k of so many: orange and blue for two.
function classShade(k, count) {
  if (count === 2) return shade(k ? "--blue" : "--orange");
  return line(k);
}

// A canvas as wide as its place; returns what draws on it in CSS pixels.
function brush(canvas, height) {
  const width = Math.max(120, canvas.clientWidth);
  const ratio = Math.min(3, window.devicePixelRatio || 1);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.height = `${height}px`;
  const draw = canvas.getContext("2d");
  draw.scale(ratio, ratio);
  draw.font = "12px system-ui, sans-serif";
  return { draw, width, height };
}

function extent(numbers) {
  let [low, high] = [Infinity, -Infinity];
  for (const x of numbers) {
    if (!Number.isFinite(x)) continue;
    low = Math.min(low, x);
    high = Math.max(high, x);
  }
  if (low > high) return [0, 1];
  const pad = low === high ? (Math.abs(low) || 1) / 2 : 0;
  return [low - pad, high + pad];
}

// Round numbers from low to high, about as many as asked for.
function ticks(low, high, count) {
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const found = [];
  for (let k = Math.ceil(low / step); k * step <= high * (1 + 1e-12); k++) {
    found.push(k * step || 0);
  }
  return found;
}

// Axes: returns where numbers stand. ``box``: [left, low, right, high] of the data.
function axes(canvas, height, box, names, log = false) {
  const { draw, width } = brush(canvas, height);
  const of = log ? Math.log10 : (y) => y;
  const area = { left: 52, right: width - 10, top: 20, bottom: height - 36 };
  const [x0, y0, x1, y1] = box;
  const x = (v) => area.left + ((v - x0) / (x1 - x0)) * (area.right - area.left);
  const span = of(y1) - of(y0);
  const y = (v) => area.bottom - ((of(v) - of(y0)) / span) * (area.bottom - area.top);
  const frame = () => {
    draw.strokeStyle = shade("--line");
    draw.fillStyle = shade("--ink");
    draw.lineWidth = 1;
    draw.setLineDash([]);
    const { left, right, top, bottom } = area;
    draw.strokeRect(left, top, right - left, bottom - top);
    draw.textAlign = "center";
    draw.textBaseline = "top";
    const room = Math.max(2, Math.floor(width / 90));
    for (const t of ticks(x0, x1, room)) draw.fillText(short(t), x(t), bottom + 5);
    draw.fillText(names[0], (left + right) / 2, bottom + 20);
    draw.textAlign = "right";
    draw.textBaseline = "middle";
    const rows = log ? decades(y0, y1) : ticks(y0, y1, 4);
    for (const t of rows) draw.fillText(short(t), left - 5, y(t));
    draw.textAlign = "left";
    draw.fillText(names[1], left, top - 10);
  };
  return { draw, x, y, area, frame };
}

function decades(low, high) {
  const found = [];
  for (let k = Math.ceil(Math.log10(low)); 10 ** k <= high; k++) found.push(10 ** k);
  return found.length > 1 ? found : [low, high].map((t) => Number(t.toPrecision(2)));
}

// A line through points; where a number is missing it has a gap.
function trace(draw, xs, ys, at, colour, dash = []) {
  draw.strokeStyle = colour;
  draw.lineWidth = 2;
  draw.setLineDash(dash);
  draw.beginPath();
  let pen = false;
  ys.forEach((y, i) => {
    if (!Number.isFinite(y)) pen = false;
    else if (pen) draw.lineTo(at.x(xs[i]), at.y(y));
    else draw.moveTo(at.x(xs[i]), at.y(y));
    pen = Number.isFinite(y);
  });
  draw.stroke();
  draw.setLineDash([]);
}

// A point in the colour and the shape of its class.
function mark(draw, x, y, k, colour, size = 4) {
  draw.beginPath();
  const shape = SHAPES[k % SHAPES.length];
  if (shape === "circle") draw.arc(x, y, size, 0, 2 * Math.PI);
  else {
    const sides = shape === "triangle" ? 3 : 4;
    const turn = shape === "square" ? Math.PI / 4 : 0;
    for (let i = 0; i < sides; i++) {
      const angle = turn - Math.PI / 2 + (2 * Math.PI * i) / sides;
      draw.lineTo(x + 1.25 * size * Math.cos(angle), y + 1.25 * size * Math.sin(angle));
    }
    draw.closePath();
  }
  draw.fillStyle = colour;
  draw.fill();
  draw.strokeStyle = shade("--ink");
  draw.lineWidth = 0.8;
  draw.stroke();
}

// Curves over time, and a line at the present; [times, values] for each name.
function drawCurves(canvas, named, unit, end, now) {
  const series = Object.values(named).map(([ts, ys]) => [ts, ys.map(number)]);
  const all = series.flatMap(([, ys]) => ys).filter(Number.isFinite);
  let [low, high] = extent(all);
  const log = all.length > 0 && Math.min(...all) > 0 && high / low >= 50;
  if (!log) [low, high] = [low - (high - low) * 0.05, high + (high - low) * 0.05];
  const names = Object.keys(named);
  const title = names.some((name) => name.includes("loss")) ? "loss" : "metrics";
  const at = axes(canvas, 190, [0, low, Math.max(1, end), high], [unit, title], log);
  at.frame();
  series.forEach(([ts, ys], i) => {
    const { colour, dash } = named[names[i]];
    trace(at.draw, ts, ys, at, line(colour), DASHES[dash]);
    if (ts.length === 1 && Number.isFinite(ys[0])) {
      mark(at.draw, at.x(ts[0]), at.y(ys[0]), 0, line(colour), 3);
    }
  });
  at.draw.strokeStyle = shade("--mark");
  at.draw.lineWidth = 2;
  at.draw.beginPath();
  at.draw.moveTo(at.x(now), at.area.top);
  at.draw.lineTo(at.x(now), at.area.bottom);
  at.draw.stroke();
}

const DASHES = [[], [7, 4], [2, 3], [9, 3, 2, 3]];

// Where a classifier decides: letters for the cells of a grid, and the samples.
function drawPlane(canvas, still, cells, names) {
  const [x0, y0, x1, y1] = still.box;
  const at = axes(canvas, 320, still.box, names);
  const size = Math.round(Math.sqrt(cells.length));
  const level = [...cells].map((letter) => DATA.alphabet.indexOf(letter));
  const count = still.names.length;
  const image = make("canvas");
  [image.width, image.height] = [size, size];
  const small = image.getContext("2d");
  level.forEach((k, i) => {
    const sure = still.two ? (k - 31) / 31 : 1;
    if (still.two && k === 63) small.fillStyle = shade("--odd");
    else small.fillStyle = classShade(still.two ? Number(sure > 0) : k, count);
    small.globalAlpha = 0.55 * Math.min(1, Math.abs(sure));
    small.fillRect(i % size, size - 1 - Math.floor(i / size), 1, 1);
  });
  // The grid's points are the middles of the small image's pixels
  const dx = (at.x(x1) - at.x(x0)) / (size - 1);
  const dy = (at.y(y0) - at.y(y1)) / (size - 1);
  at.draw.save();
  at.draw.beginPath();
  at.draw.rect(at.x(x0), at.y(y1), at.x(x1) - at.x(x0), at.y(y0) - at.y(y1));
  at.draw.clip();
  at.draw.imageSmoothingEnabled = still.two;
  at.draw.drawImage(image, at.x(x0) - dx / 2, at.y(y1) - dy / 2, dx * size, dy * size);
  at.draw.strokeStyle = shade("--ink");
  at.draw.lineWidth = 1.5;
  const value = still.two ? (k) => (k === 63 ? NaN : k - 31) : null;
  for (const [ax, ay, bx, by] of borders(level, size, value)) {
    at.draw.beginPath();
    at.draw.moveTo(at.x(x0) + ax * dx, at.y(y0) - ay * dy);
    at.draw.lineTo(at.x(x0) + bx * dx, at.y(y0) - by * dy);
    at.draw.stroke();
  }
  at.draw.restore();
  at.frame();
  still.of.forEach((k, i) => {
    const [x, y] = [still.points[2 * i], still.points[2 * i + 1]];
    mark(at.draw, at.x(x), at.y(y), k, classShade(k, count));
  });
}

// Pieces of the border, in steps of the grid: where a value is 0, or two classes meet.
function borders(level, size, value) {
  const found = [];
  for (let r = 0; r + 1 < size; r++) {
    for (let c = 0; c + 1 < size; c++) {
      const here = level[r * size + c];
      if (!value) {
        const [right, above] = [level[r * size + c + 1], level[(r + 1) * size + c]];
        const [x, y] = [c + 0.5, r + 0.5];
        if (here !== right) found.push([x, r - 0.5, x, y]);
        if (here !== above) found.push([c - 0.5, y, x, y]);
        continue;
      }
      const corners = [[c, r], [c + 1, r], [c + 1, r + 1], [c, r + 1]];
      const at = corners.map(([x, y]) => value(level[y * size + x]));
      const cut = [];
      for (let i = 0; i < 4; i++) {
        const [a, b] = [at[i], at[(i + 1) % 4]];
        if (!(a > 0 !== b > 0) || Number.isNaN(a + b)) continue;
        const [[ax, ay], [bx, by]] = [corners[i], corners[(i + 1) % 4]];
        cut.push(ax + (a / (a - b)) * (bx - ax), ay + (a / (a - b)) * (by - ay));
      }
      for (let i = 0; i + 3 < cut.length; i += 4) found.push(cut.slice(i, i + 4));
    }
  }
  return found;
}

// Points and a line fitted to them; its range is that of the data and of the best fit.
function drawLine(canvas, still, ys, names) {
  const targets = still.targets.map(number);
  const [low, high] = extent(targets);
  const pad = (high - low) * 0.25;
  const box = [still.x[0], low - pad, still.x[still.x.length - 1], high + pad];
  const at = axes(canvas, 320, box, names);
  at.draw.save();
  at.draw.beginPath();
  const { left, right, top, bottom } = at.area;
  at.draw.rect(left, top, right - left, bottom - top);
  at.draw.clip();
  trace(at.draw, still.x, ys, at, shade("--blue"));
  at.draw.restore();
  at.frame();
  targets.forEach((y, i) => {
    mark(at.draw, at.x(still.points[i]), at.y(y), 0, shade("--c1"));
  });
}

// Outputs against targets: on the line where they are equal the model is right.
function drawScatter(canvas, still, ys) {
  const [low, high] = extent(still.targets.map(number));
  const pad = (high - low) * 0.15;
  const [a, b] = [low - pad, high + pad];
  const at = axes(canvas, 320, [a, a, b, b], ["target", "output"]);
  trace(at.draw, [a, b], [a, b], at, shade("--line"), [5, 4]);
  at.frame();
  ys.forEach((y, i) => {
    if (!Number.isFinite(y)) return;
    const inside = Math.max(a, Math.min(b, y));
    mark(at.draw, at.x(number(still.targets[i])), at.y(inside), 0, shade("--blue"));
  });
}

// Histograms over time: a column of pixels for each frame, the darker the fuller.
function drawStrip(canvas, rows) {
  const bins = Math.max(1, ...rows.map((row) => row.length));
  [canvas.width, canvas.height] = [rows.length, bins];
  const draw = canvas.getContext("2d");
  rows.forEach((row, t) => {
    draw.fillStyle = shade(row ? "--blue" : "--odd");
    draw.globalAlpha = row ? 0 : 0.6;
    if (!row) draw.fillRect(t, 0, 1, bins);
    [...row].forEach((letter, i) => {
      draw.globalAlpha = DATA.alphabet.indexOf(letter) / 63;
      draw.fillRect(t, bins - 1 - i, 1, 1);
    });
  });
}
