// Axes: a frame of numbers in an SVG, curves in it, and points to drag.
//
//   const axes = new Axes($("plot"), { x: [0, 1], y: [0, 1], draw: () => ... });
//   axes.curve([[0, 0], [1, 1]], "line");
//
// All is drawn anew by ``draw`` when a number or the size of the page changes. Handles
// stay, so that what has the focus keeps it: a handle is a slider for screen readers,
// and arrow keys move it as a drag does. With ``equal`` both axes have one scale; with
// ``whole`` = 1 only integers stand on the x axis.

const MARGIN = { left: 46, right: 12, top: 10, bottom: 34 };
const FAR = 1e5; // pixels; what is further away is drawn there

// The power of ten at or below x.
const decade = (x) => 10 ** Math.floor(Math.log10(x));
const clamp = (x, low, high) => Math.min(high, Math.max(low, x));

class Axes {
  constructor(svg, { x, y, draw, names = ["x", "y"], equal = false, whole = 0 }) {
    Object.assign(this, { svg, draw, names, equal, whole, handles: [] });
    this.wanted = { x, y };
    const clip = `${svg.id}-frame`;
    this.frame = element("rect");
    this.grid = element("g", { "aria-hidden": "true" });
    this.ink = element("g", { "aria-hidden": "true", "clip-path": `url(#${clip})` });
    svg.append(element("clipPath", { id: clip }, this.frame), this.grid, this.ink);
    new ResizeObserver(() => this.redraw()).observe(svg);
  }

  // The numbers that must be seen; with one scale on both axes there may be more.
  show(x, y) {
    this.wanted = { x, y };
  }

  // Without room nothing is drawn: a frame in another page begins without a size.
  redraw() {
    this.measure();
    if (this.box.x[0] >= this.box.x[1] || this.box.y[0] <= this.box.y[1]) return;
    this.ink.replaceChildren();
    this.grid.replaceChildren(...this.ticks("x"), ...this.ticks("y"));
    this.draw(this);
    for (const handle of this.handles) this.place(handle);
  }

  measure() {
    const { clientWidth: wide, clientHeight: high } = this.svg;
    const { right, top, bottom } = MARGIN;
    const longest = Math.max(...this.wanted.y.map((y) => short(y, 2).length));
    const left = clamp(20 + 7.5 * longest, MARGIN.left, 2 * MARGIN.left);
    this.box = { x: [left, wide - right], y: [high - bottom, top] };
    const size = { width: wide - left - right, height: high - top - bottom };
    for (const [key, pixels] of Object.entries({ x: left, y: top, ...size })) {
      this.frame.setAttribute(key, Math.max(0, pixels));
    }
    const { x, y } = this.wanted;
    this.x = x;
    this.y = y;
    if (!this.equal) return;
    const scale = Math.max((x[1] - x[0]) / size.width, (y[1] - y[0]) / size.height);
    const around = ([low, high], pixels) => {
      const middle = low + (high - low) / 2;
      return [middle - (scale * pixels) / 2, middle + (scale * pixels) / 2];
    };
    this.x = around(x, size.width);
    this.y = around(y, size.height);
  }

  // The pixel of a number on an axis, and the number of a pixel.
  pixel(axis, number) {
    const [[low, high], [from, to]] = [this[axis], this.box[axis]];
    const part = (number - low) / (high - low);
    return clamp(from + part * (to - from), -FAR, FAR);
  }

  number(axis, pixel) {
    const [[low, high], [from, to]] = [this[axis], this.box[axis]];
    return low + ((pixel - from) / (to - from)) * (high - low);
  }

  at([x, y]) {
    return [this.pixel("x", x), this.pixel("y", y)];
  }

  ticks(axis) {
    const [low, high] = this[axis];
    const across = axis === "x";
    const [[left, right], [bottom, top]] = [this.box.x, this.box.y];
    const most = Math.max(2, across ? (right - left) / 64 : (bottom - top) / 44);
    const least = Math.max((high - low) / most, across ? this.whole : 0);
    const step = [1, 2, 5, 10].map((k) => k * decade(least)).find((s) => s >= least);
    const found = [];
    const [first, last] = [Math.ceil(low / step) + 0, Math.floor(high / step)];
    for (let k = first; k <= Math.min(last, first + 60); k++) {
      const p = this.pixel(axis, k * step);
      const line = across ? `M${p} ${bottom}V${top}` : `M${left} ${p}H${right}`;
      const where = across ? { x: p, y: bottom + 15 } : { x: left - 5, y: p + 4 };
      const anchor = across ? "middle" : "end";
      found.push(
        element("path", { d: line, class: k === 0 ? "zero" : "rule" }),
        element("text", { ...where, "text-anchor": anchor }, short(k * step + 0, 3)),
      );
    }
    const where = across
      ? { x: (left + right) / 2, y: bottom + 30 }
      : { x: 0, y: 0, transform: `translate(11 ${(bottom + top) / 2}) rotate(-90)` };
    const text = element("text", { ...where, "text-anchor": "middle", class: "name" });
    text.append(this.names[across ? 0 : 1]);
    return [...found, text];
  }

  add(name, attributes, ...children) {
    return this.ink.appendChild(element(name, attributes, ...children));
  }

  // A line through points; where a number is not finite there is a gap.
  curve(points, look) {
    let d = "";
    let pen = "M";
    for (const point of points) {
      const seen = point.every(Number.isFinite);
      if (seen) d += pen + this.at(point).map((p) => p.toFixed(2)).join(" ");
      pen = seen ? "L" : "M";
    }
    return this.add("path", { d, class: `curve ${look}` });
  }

  // The whole graph of y = f(x) within the frame.
  graph(f, look) {
    const [left, right] = this.box.x;
    const points = [];
    for (let p = left; p <= right; p += 1) {
      const x = this.number("x", p);
      points.push([x, f(x)]);
    }
    return this.curve(points, look);
  }

  // The line y = slope x + intercept; a steep one is drawn from bottom to top.
  line(slope, intercept, look) {
    const ends =
      Math.abs(slope) <= 1
        ? this.x.map((x) => [x, slope * x + intercept])
        : this.y.map((y) => [(y - intercept) / slope, y]);
    return this.curve(ends, look);
  }

  dot(point, look, r = 4.5) {
    if (!point.every(Number.isFinite)) return;
    const [cx, cy] = this.at(point);
    this.add("circle", { cx, cy, r, class: `dot ${look}` });
  }

  // An arrow between pixels.
  arrow([ax, ay], [bx, by], look) {
    const length = Math.hypot(bx - ax, by - ay);
    if (!(length > 1)) return;
    const [ux, uy] = [(bx - ax) / length, (by - ay) / length];
    const head = Math.min(9, length);
    const [cx, cy] = [bx - head * ux, by - head * uy];
    const [wx, wy] = [(-uy * head) / 2, (ux * head) / 2];
    const tip = `M${bx} ${by}L${cx + wx} ${cy + wy}L${cx - wx} ${cy - wy}z`;
    this.add("path", { d: `M${ax} ${ay}L${cx} ${cy}`, class: `shaft ${look}` });
    this.add("path", { d: tip, class: `tip ${look}` });
  }

  // A point to drag: ``at()`` is where it is, ``move(x, y)`` puts it elsewhere, along
  // the ``ways`` "x", "y" or "xy"; ``said()`` says its numbers.
  handle({ label, at, move, said, ways = "xy", look = "" }) {
    const group = element(
      "g",
      { class: `handle ${ways} ${look}`, role: "slider", tabindex: 0 },
      element("circle", { r: 20, class: "reach" }),
      element("circle", { r: 7, class: "grip" }),
    );
    group.setAttribute("aria-label", label);
    if (ways === "y") group.setAttribute("aria-orientation", "vertical");
    const handle = { group, at, move, said, ways };
    let held = null; // from the pointer to the point
    group.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      group.focus();
      group.setPointerCapture(event.pointerId);
      held = [handle.pixels[0] - event.clientX, handle.pixels[1] - event.clientY];
    });
    group.addEventListener("pointermove", (event) => {
      if (held === null) return;
      const x = this.number("x", event.clientX + held[0]);
      const y = this.number("y", event.clientY + held[1]);
      move(rounded(x, this.step("x") / 10), rounded(y, this.step("y") / 10));
    });
    for (const end of ["pointerup", "pointercancel"]) {
      group.addEventListener(end, () => (held = null));
    }
    group.addEventListener("keydown", (event) => {
      const [axis, sign] = KEYS[event.key] || [];
      if (axis === undefined) return;
      event.preventDefault();
      const way = ways.includes(axis) ? axis : ways;
      const amount = sign * this.step(way) * (event.shiftKey ? 10 : 1);
      const [x, y] = at();
      const [dx, dy] = way === "x" ? [amount, 0] : [0, amount];
      const exact = (number, along) => rounded(number, this.step(along) / 1000);
      move(exact(x + dx, "x"), exact(y + dy, "y"));
    });
    this.svg.append(group);
    this.handles.push(handle);
  }

  // How far an arrow key goes: a power of ten, about a hundredth of the axis.
  step(axis) {
    return decade((this[axis][1] - this[axis][0]) / 60);
  }

  place(handle) {
    const { group, at, said, ways } = handle;
    const [x, y] = at();
    const [px, py] = this.at([x, y]).map((p) => (Number.isNaN(p) ? 0 : p));
    const [[left, right], [bottom, top]] = [this.box.x, this.box.y];
    handle.pixels = [clamp(px, left, right), clamp(py, top, bottom)];
    group.setAttribute("transform", `translate(${handle.pixels})`);
    const [axis, now] = ways === "y" ? ["y", y] : ["x", x];
    group.setAttribute("aria-valuemin", short(this[axis][0]));
    group.setAttribute("aria-valuemax", short(this[axis][1]));
    group.setAttribute("aria-valuenow", short(now));
    group.setAttribute("aria-valuetext", said());
  }
}

const KEYS = {
  ArrowLeft: ["x", -1],
  ArrowRight: ["x", 1],
  ArrowUp: ["y", 1],
  ArrowDown: ["y", -1],
};

// x to a multiple of a power of ten, without the digits of rounding errors.
function rounded(x, step) {
  const digits = clamp(Math.round(-Math.log10(step)), 0, 100);
  return step >= 1 ? Math.round(x / step) * step : Number(x.toFixed(digits));
}
