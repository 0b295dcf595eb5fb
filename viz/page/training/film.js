// The page of a training run: a player, and panels that follow it.

const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const CALM = window.matchMedia("(prefers-reduced-motion: reduce)");
const RADIUS = 0.36;
const frames = DATA.frames;
const KINDS = Object.keys(DATA.spreads);

function vector(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function sign(x) {
  if (!Number.isFinite(x)) return "var(--odd)";
  if (x === 0) return "var(--line)";
  return x > 0 ? "var(--blue)" : "var(--orange)";
}

function largest(numbers) {
  return numbers.reduce((most, x) => {
    const size = Math.abs(number(x));
    return Number.isFinite(size) && size > most ? size : most;
  }, 0) || 1;
}

function many(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

// -- The network ----------------------------------------------------------------------

class Net {
  constructor(svg) {
    const { left, right, width, height, dots, lines, gaps, under } = DATA.net;
    const across = left + width + right;
    svg.setAttribute("viewBox", `${-left} 0 ${across} ${height + 1.2}`);
    this.svg = svg;
    this.most = largest(frames.flatMap((frame) => frame.weights));
    this.mostBias = largest(frames.flatMap((frame) => frame.biases));
    this.lines = lines.map(([tail, head]) => {
      const [a, b] = [dots[tail], dots[head]];
      const ends = { x1: a[0], y1: a[1], x2: b[0], y2: b[1] };
      return vector("line", ends, vector("title"));
    });
    this.dots = dots.map((dot) => this.dot(dot, dots));
    this.columns = dots.map((dot) => dot[2]);
    this.busiest = [...new Set(this.columns)].map((column) => {
      const here = (_, i) => this.columns[i] === column;
      return largest(frames.flatMap((frame) => frame.activity.filter(here)));
    });
    svg.append(...this.lines, ...this.dots.map((dot) => dot.group));
    for (const [x, y, count] of gaps) svg.append(this.words(x, y, `⋮ ${count} more`));
    for (const [x, texts] of under) {
      texts.forEach((text, i) => {
        svg.append(this.words(x, height + 0.3 + (0.1 + 0.9 * i) * 0.5, text));
      });
    }
    this.apart = under.length > 1 ? under[1][0] - under[0][0] : 3;
    const beside = Math.max(...dots.map((dot) => dot[4].length));
    const below = Math.max(...under[under.length - 1][1].map((text) => text.length));
    this.room = Math.min((1.1 + Math.min(left, right)) / beside, 3 / below) / 0.6;
  }

  // Words stay legible where the drawing is small, as far as columns leave room.
  fit() {
    const unit = this.svg.getScreenCTM().a;
    const size = Math.max(0.3, Math.min(9 / unit, this.apart / 8, 0.5, this.room));
    this.svg.style.setProperty("--words", `${size}px`);
  }

  words(x, y, text, kind = "") {
    const made = vector("text", { x, y, class: kind });
    made.textContent = text;
    return made;
  }

  dot([x, y, column, index, name], all) {
    const place = { cx: x, cy: y, r: RADIUS };
    const ground = vector("circle", { ...place, class: "ground" });
    const fill = vector("circle", place);
    const ring = vector("circle", { ...place, class: "ring" });
    const title = vector("title");
    const group = vector("g", {}, title, ground, fill, ring);
    const last = column > 0 && column === all[all.length - 1][2];
    const side = last ? RADIUS + 0.12 : -RADIUS - 0.12;
    if (name) group.append(this.words(x + side, y, name, last ? "start" : "end"));
    let bias = null;
    if (column > 0) {
      const spot = { cx: x - 0.27, cy: y - 0.27, r: 0.11, class: "bias" };
      group.append((bias = vector("circle", spot)));
    }
    const says = column ? `layer ${column - 1}, neuron ${index}` : `input ${name}`;
    return { group, fill, title, says, bias, column, index };
  }

  show(frame) {
    this.lines.forEach((drawn, i) => {
      const w = number(frame.weights[i]);
      const size = Number.isFinite(w) ? Math.abs(w) / this.most : 1;
      drawn.style.stroke = sign(w);
      drawn.style.strokeWidth = `${(0.012 + 0.085 * size).toFixed(4)}px`;
      drawn.style.strokeOpacity = (0.25 + 0.75 * size).toFixed(3);
      drawn.firstChild.textContent = `weight ${short(w)}`;
    });
    let neuron = 0;
    this.dots.forEach((dot, i) => {
      const mean = number(frame.activity[i]);
      const most = this.busiest[dot.column];
      const size = Number.isFinite(mean) ? Math.abs(mean) / most : 1;
      dot.fill.style.fill = sign(mean);
      dot.fill.style.fillOpacity = (0.6 * Math.min(1, size)).toFixed(3);
      dot.title.textContent = `${dot.says}: mean ${short(mean)}`;
      if (dot.bias) {
        const b = number(frame.biases[neuron++]);
        const strong = Number.isFinite(b) ? Math.abs(b) / this.mostBias : 1;
        dot.bias.style.fill = sign(b);
        dot.bias.style.fillOpacity = (0.15 + 0.85 * strong).toFixed(3);
        dot.title.textContent += `, bias ${short(b)}`;
      }
      const found = frame.findings.some(([, layer, neurons]) => {
        return layer === dot.column - 1 && neurons.includes(dot.index);
      });
      dot.group.setAttribute("class", found ? "found" : "");
    });
    const at = describe(frame);
    this.svg.setAttribute("aria-label", `${DATA.net.layers.join("; ")}. ${at}`);
  }
}

// -- What the model says --------------------------------------------------------------

const TITLES = {
  plane: "Where it decides",
  confusion: "What it takes for what",
  line: "The fitted line",
  scatter: "Outputs against targets",
};

function inputNames() {
  return DATA.net.dots.filter((dot) => dot[2] === 0).map((dot) => dot[4]);
}

function key(place, entries) {
  place.replaceChildren(...entries.map(([colour, text, kind = ""]) => {
    const swatch = make("i", { class: kind, style: `--shade: ${colour}` });
    return make("li", {}, swatch, text);
  }));
}

class Outlook {
  constructor(place) {
    this.still = DATA.outlook;
    $("outlook-head").textContent = TITLES[this.still.kind] || "";
    $("outlook-part").hidden = !this.still.kind;
    if (this.still.kind === "confusion") return this.table(place);
    this.canvas = make("canvas", { role: "img" });
    place.append(this.canvas);
    if (this.still.kind !== "plane") return;
    const list = make("ul", { class: "key" });
    const count = this.still.names.length;
    const colour = (k) => {
      if (count === 2) return k ? "var(--blue)" : "var(--orange)";
      return `var(--c${k % 7})`;
    };
    key(list, this.still.names.map((name, k) => {
      return [colour(k), `class ${name} (${SHAPES[k % SHAPES.length]})`, "dot"];
    }));
    place.append(list);
  }

  table(place) {
    const caption = "Rows: what it is. Columns: what it is taken for.";
    const head = make("tr", {}, make("td"));
    const table = make("table", {}, make("caption", {}, caption), head);
    for (const name of this.still.names) {
      head.append(make("th", { scope: "col" }, name));
    }
    this.cells = this.still.names.map((name) => {
      const row = make("tr", {}, make("th", { scope: "row" }, name));
      const cells = this.still.names.map(() => make("td"));
      row.append(...cells);
      table.append(row);
      return cells;
    });
    place.append(table);
  }

  show(frame) {
    const { kind } = this.still;
    const now = frame.outlook;
    if (kind === "confusion") {
      const most = Math.max(1, ...now.counts.flat());
      now.counts.forEach((row, r) => row.forEach((count, c) => {
        const cell = this.cells[r][c];
        const colour = r === c ? "--positive" : "--negative";
        const share = ((0.9 * count) / most).toFixed(2);
        cell.textContent = count;
        cell.style.background = `rgba(var(${colour}), ${share})`;
      }));
      return;
    }
    const names = inputNames();
    if (kind === "plane") drawPlane(this.canvas, this.still, now.cells, names);
    const ys = (now.y || []).map(number);
    if (kind === "line") drawLine(this.canvas, this.still, ys, [names[0], "output"]);
    if (kind === "scatter") drawScatter(this.canvas, this.still, ys);
    const says = `${TITLES[kind]}. ${describe(frame)}`;
    if (this.canvas) this.canvas.setAttribute("aria-label", says);
  }
}

// -- Loss, metrics, layers ------------------------------------------------------------

class Curves {
  constructor(place) {
    const names = Object.keys(DATA.curves);
    const isLoss = (name) => name.includes("loss");
    $("curves-part").hidden = !names.length;
    this.charts = [names.filter(isLoss), names.filter((name) => !isLoss(name))]
      .filter((group) => group.length)
      .map((group) => {
        const says = `${group.join(", ")} over time`;
        const canvas = make("canvas", { role: "img", "aria-label": says });
        const named = {};
        group.forEach((name) => {
          const i = names.indexOf(name);
          const look = { colour: i, dash: i % 4 };
          named[name] = Object.assign([...DATA.curves[name]], look);
        });
        const list = make("ul", { class: "key" });
        key(list, group.map((name) => {
          const i = names.indexOf(name);
          return [`var(--c${i % 7})`, name, i % 4 ? "dash" : ""];
        }));
        place.append(canvas, list);
        return { canvas, named };
      });
  }

  show(frame) {
    for (const { canvas, named } of this.charts) {
      drawCurves(canvas, named, DATA.unit, DATA.time, frame.time);
    }
  }
}

class Layers {
  constructor(place, goTo) {
    const whose = DATA.measured ? "of the loss given" : "as the last step left them";
    $("layers-note").textContent =
      "Each column is a moment, the stronger the more numbers there. Activations are " +
      `those of ${many(DATA.samples, "sample")}; gradients are ${whose}.`;
    this.strips = [];
    DATA.net.layers.forEach((title, i) => {
      const head = make("h3", {}, `layer ${i}: ${title}`);
      const row = make("div", { class: "layer" }, head);
      for (const kind of KINDS) row.append(this.strip(kind, i, goTo));
      place.append(row);
    });
  }

  strip(kind, layer, goTo) {
    const { low, high, rows } = DATA.spreads[kind][layer];
    const says = `${kind}, ${short(number(low))} to ${short(number(high))}`;
    const label = `layer ${layer}: ${says}`;
    const canvas = make("canvas", { role: "img", "aria-label": label });
    const cursor = make("i");
    const box = make("div", { class: "strip" }, canvas, cursor);
    box.addEventListener("pointerdown", (event) => {
      const { left, width } = box.getBoundingClientRect();
      goTo(Math.floor(((event.clientX - left) / width) * frames.length));
    });
    this.strips.push({ canvas, cursor, rows });
    return make("div", {}, box, make("div", { class: "range" }, says));
  }

  draw() {
    for (const { canvas, rows } of this.strips) drawStrip(canvas, rows);
  }

  show(index) {
    const at = `calc(${(100 * (index + 0.5)) / frames.length}% - 1px)`;
    for (const { cursor } of this.strips) cursor.style.left = at;
  }
}

function showFindings(frame) {
  const items = frame.findings.map(([kind, layer, neurons]) => {
    const [name, advice] = DATA.advice[kind];
    const title = `layer ${layer} (${DATA.net.layers[layer]})`;
    const few = neurons.slice(0, 8).join(", ") + (neurons.length > 8 ? " ..." : "");
    const some = `${many(neurons.length, "neuron")} ${name}: ${few}`;
    const who = neurons.length ? some : name;
    return make("li", {}, make("strong", {}, `${title}: ${who}. `), advice);
  });
  if (!items.length) items.push(make("li", {}, "nothing now"));
  $("findings").replaceChildren(...items);
}

// -- The player -----------------------------------------------------------------------

function describe(frame) {
  const time = `${DATA.unit} ${frame.time} of ${DATA.time}`;
  const at = frame.time ? time : "before training";
  const named = Object.entries(frame.numbers);
  const numbers = named.map(([name, x]) => `${name} ${short(number(x))}`);
  const { right } = frame.outlook;
  if (right !== undefined) numbers.push(`${right} of ${DATA.samples} samples right`);
  return [at, ...numbers].join(", ");
}

class Player {
  constructor() {
    document.querySelector("h1").textContent = DATA.title;
    $("ended").textContent = DATA.stopped ? `The run ended early: ${DATA.stopped}` : "";
    this.net = new Net($("net"));
    this.outlook = new Outlook($("outlook"));
    this.curves = new Curves($("curves"));
    this.layers = new Layers($("layers"), (index) => this.scrub(index));
    key($("net-key"), [
      ["var(--blue)", "positive"],
      ["var(--orange)", "negative"],
      ["var(--odd)", "not finite"],
    ]);
    const parts = "lines: weights; circles: mean activations; dots: biases";
    $("net-key").append(make("li", {}, parts));
    $("time").max = frames.length - 1;
    this.playing = null;
    this.listen();
    this.redraw();
    this.scrub(0);
  }

  listen() {
    const jumps = { first: () => 0, last: () => frames.length - 1 };
    jumps.back = () => this.index - 1;
    jumps.next = () => this.index + 1;
    for (const [id, where] of Object.entries(jumps)) {
      $(id).addEventListener("click", () => this.scrub(where()));
    }
    $("play").addEventListener("click", () => this.toggle());
    $("time").addEventListener("input", () => this.scrub(Number($("time").value)));
    document.addEventListener("keydown", (event) => this.key(event, jumps));
    window.addEventListener("resize", () => this.redraw());
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", () => this.redraw());
  }

  // Space plays, unless a button has it; arrows, Home and End scrub.
  key(event, jumps) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const keys = { ArrowLeft: "back", ArrowRight: "next", Home: "first", End: "last" };
    const name = keys[event.key];
    if (event.key === " " && event.target.tagName !== "BUTTON") this.toggle();
    else if (name) this.scrub(jumps[name]());
    else return;
    event.preventDefault();
  }

  toggle() {
    if (this.playing) {
      this.stop();
      this.say();
      return;
    }
    if (this.index === frames.length - 1) this.goTo(0);
    $("play").textContent = "pause";
    this.playing = setInterval(() => {
      this.goTo(this.index + 1);
      if (this.index < frames.length - 1) return;
      this.stop();
      this.say();
    }, CALM.matches ? 500 : 90);
  }

  stop() {
    clearInterval(this.playing);
    this.playing = null;
    $("play").textContent = "play";
  }

  // Go somewhere by hand: playing ends there.
  scrub(index) {
    this.stop();
    this.goTo(index);
    this.say();
  }

  say() {
    $("said").textContent = describe(frames[this.index]);
  }

  goTo(index) {
    this.index = Math.max(0, Math.min(frames.length - 1, index));
    const frame = frames[this.index];
    $("time").value = this.index;
    $("time").setAttribute("aria-valuetext", describe(frame));
    $("now").textContent = describe(frame);
    $("first").disabled = $("back").disabled = this.index === 0;
    $("last").disabled = $("next").disabled = this.index === frames.length - 1;
    this.net.show(frame);
    this.outlook.show(frame);
    this.curves.show(frame);
    this.layers.show(this.index);
    showFindings(frame);
  }

  redraw() {
    this.net.fit();
    this.layers.draw();
    if (this.index !== undefined) this.goTo(this.index);
  }
}

const player = new Player();
