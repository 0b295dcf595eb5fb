// The drawing: boxes and arrows in an SVG that pans, zooms, and glides between layouts.

const SIZE = { cell: 98, wide: 124, row: 22, constant: 72 };
const GLIDE = 350; // milliseconds

// Blue above 0, orange below, by size among the largest; white for 0.
function tint(x, largest) {
  if (Number.isNaN(x)) return "var(--nan)";
  if (x === 0) return "var(--paper)";
  const size = Number.isFinite(x) ? Math.sqrt(Math.abs(x) / (largest || 1)) : 1;
  const colour = x > 0 ? "--positive" : "--negative";
  return `rgba(var(${colour}), ${(0.15 + 0.85 * Math.min(1, size)).toFixed(3)})`;
}

class Drawing {
  constructor(svg, describe) {
    this.svg = svg;
    this.describe = describe; // box -> {title, kind, cells: [[text, fill], ...]}
    this.edgeLayer = svg.appendChild(element("g", { "aria-hidden": "true" }));
    this.boxLayer = svg.appendChild(element("g"));
    this.shapes = new Map();
    this.camera = { x: 0, y: 0, scale: 1 };
    this.navigate();
  }

  // Forget a graph that is over.
  clear() {
    for (const { group } of this.shapes.values()) group.remove();
    this.shapes.clear();
  }

  // Put a view on the screen; its boxes glide there from where their nodes were.
  show({ boxes, edges }) {
    for (const box of boxes) {
      const small = this.describe(box).kind === "constant";
      box.width = small ? SIZE.constant : 2 * (box.group ? SIZE.wide : SIZE.cell);
      box.height = small ? SIZE.row : 2 * SIZE.row;
    }
    layout(boxes, edges);
    const before = new Map();
    for (const { box, x, y } of this.shapes.values()) {
      for (const i of box.members) before.set(i, [x, y]);
    }
    this.boxes = boxes;
    this.edges = edges;
    const old = this.shapes;
    this.shapes = new Map();
    for (const box of boxes) {
      const shape = old.get(box.key) || this.makeBox(box);
      old.delete(box.key);
      shape.box = box;
      this.shapes.set(box.key, shape);
    }
    for (const { group } of old.values()) group.remove();
    for (const { key } of boxes) this.boxLayer.append(this.shapes.get(key).group);
    this.edgeLayer.replaceChildren(...edges.map((edge) => this.makeEdge(edge)));
    this.refresh();
    this.glide(before);
  }

  glide(before) {
    cancelAnimationFrame(this.frame);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const starts = this.boxes.map(({ members, x, y }) => {
      const places = members.map((i) => before.get(i)).filter(Boolean);
      const [across, down] = [0, 1].map((k) => mean(places.map((place) => place[k])));
      return [across ?? x, down ?? y];
    });
    const began = performance.now();
    const step = (now) => {
      const t = still ? 1 : Math.min(1, (now - began) / GLIDE);
      const done = 1 - (1 - t) ** 3;
      this.boxes.forEach((box, k) => {
        const [x, y] = starts[k];
        this.place(box, x + (box.x - x) * done, y + (box.y - y) * done);
      });
      for (const edge of this.edges) this.route(edge);
      if (t < 1) this.frame = requestAnimationFrame(step);
    };
    if (still || this.boxes.length > 400) step(began + GLIDE);
    else step(began);
  }

  place(box, x, y) {
    const shape = this.shapes.get(box.key);
    shape.x = x;
    shape.y = y;
    shape.group.setAttribute("transform", `translate(${x} ${y - box.height / 2})`);
  }

  makeBox(box) {
    const { kind } = this.describe(box);
    const { width, height } = box;
    const constant = kind === "constant";
    const cells = constant ? [width] : [width / 2, width / 2];
    const fills = cells.map((w, k) =>
      element("rect", { x: k * w, y: height - SIZE.row, width: w, height: SIZE.row }),
    );
    const texts = cells.map((w, k) =>
      element("text", { x: k * w + w / 2, y: height - 7, "text-anchor": "middle" }),
    );
    const frame = element("rect", {
      width,
      height,
      class: "frame",
      rx: constant ? 8 : 2,
    });
    const title = element("text", { x: 8, y: 15, class: "title" });
    const head = constant
      ? []
      : [element("rect", { width, height: SIZE.row, class: kind })];
    const tip = element("title");
    const group = element(
      "g",
      { class: `box ${kind}`, role: "button", tabindex: "-1", "data-key": box.key },
      ...head,
      ...fills,
      frame,
      ...(constant ? [] : [title]),
      ...texts,
      tip,
    );
    return { group, fills, texts, title, tip, x: 0, y: 0, shown: "" };
  }

  makeEdge(edge) {
    edge.path = element("path", { class: "edge", "marker-end": "url(#arrow)" });
    edge.label = element("text", { class: "edge-label" });
    edge.group = element("g", {}, edge.path, edge.label);
    return edge.group;
  }

  // From the right side of the tail to the operand's place on the left of the head.
  route(edge) {
    const [tail, head] = [this.boxes[edge.tail], this.boxes[edge.head]];
    const [a, b] = [this.shapes.get(tail.key), this.shapes.get(head.key)];
    const ports = head.ports || 1;
    const share = ports > 1 ? (edge.port + 0.5) / ports - 0.5 : 0;
    const points = [
      [a.x + tail.width, a.y],
      ...edge.points,
      [b.x - 2, b.y + share * head.height * 0.8],
    ];
    edge.path.setAttribute("d", curve(points));
    const [x, y] = points[points.length - 1];
    edge.label.setAttribute("x", x - 8);
    edge.label.setAttribute("y", y - 3);
  }

  // Texts and colours anew, where they have changed. While a number is ``moving``, what
  // is out of sight waits until it rests, and so do texts that are too small to read.
  refresh(moving = false) {
    clearTimeout(this.later);
    if (moving) this.later = setTimeout(() => this.refresh(), 150);
    const readable = this.camera.scale > 0.3;
    for (const shape of this.shapes.values()) {
      if (moving && !this.inSight(shape)) continue;
      const { title, cells, state = "", tip, kind } = this.describe(shape.box);
      cells.forEach(([, fill], k) => (shape.fills[k].style.fill = fill));
      if (moving && !readable) continue;
      const shown = `${title}|${state}|${cells.map(([text]) => text)}`;
      if (shown === shape.shown) continue;
      shape.shown = shown;
      if (shape.title.textContent !== title) shape.title.textContent = title;
      cells.forEach(([text], k) => (shape.texts[k].textContent = text));
      shape.tip.textContent = tip;
      shape.group.setAttribute("class", `box ${kind} ${state}`);
    }
  }

  inSight({ x, y, box }) {
    const { camera, svg } = this;
    const [left, top] = [camera.x + x * camera.scale, camera.y + y * camera.scale];
    const inside = left < svg.clientWidth && left + box.width * camera.scale > 0;
    return inside && Math.abs(top - svg.clientHeight / 2) < svg.clientHeight / 2 + 30;
  }

  // -- Where one looks ------------------------------------------------------------

  get extent() {
    const right = Math.max(0, ...this.boxes.map((box) => box.x + box.width));
    const top = Math.min(0, ...this.boxes.map((box) => box.y - box.height / 2));
    const bottom = Math.max(0, ...this.boxes.map((box) => box.y + box.height / 2));
    return { width: right, top, height: bottom - top };
  }

  // All of it, as large as fits, but readable; else its end, where the results are.
  fit(least = 0.5) {
    const { width, top, height } = this.extent;
    const { clientWidth: w, clientHeight: h } = this.svg;
    const scale = Math.max(least, Math.min(1.25, (w - 32) / width, (h - 32) / height));
    const end = this.boxes[this.boxes.length - 1];
    const x =
      width * scale + 32 <= w ? (w - width * scale) / 2 : w - width * scale - 16;
    const middle = height * scale + 32 <= h ? top + height / 2 : end.y;
    this.look({ x, y: h / 2 - middle * scale, scale });
  }

  look(camera) {
    this.camera = camera;
    const { x, y, scale } = camera;
    const moved = `translate(${x} ${y}) scale(${scale})`;
    this.edgeLayer.setAttribute("transform", moved);
    this.boxLayer.setAttribute("transform", moved);
  }

  zoom(factor, at = [this.svg.clientWidth / 2, this.svg.clientHeight / 2]) {
    const { x, y, scale } = this.camera;
    const next = Math.min(4, Math.max(0.02, scale * factor));
    const [px, py] = at;
    const shift = (p, old) => p - ((p - old) * next) / scale;
    this.look({ x: shift(px, x), y: shift(py, y), scale: next });
  }

  // Bring a box into sight.
  reveal(key) {
    const { x, y, box } = this.shapes.get(key);
    const { camera, svg } = this;
    const [left, top] = [camera.x + x * camera.scale, camera.y + y * camera.scale];
    const width = box.width * camera.scale;
    const outside = (at, size, room) => at < 0 || at + size > room;
    if (!outside(left, width, svg.clientWidth) && !outside(top, 0, svg.clientHeight))
      return;
    const dx = svg.clientWidth / 2 - left - width / 2;
    const dy = svg.clientHeight / 2 - top;
    this.look({ ...camera, x: camera.x + dx, y: camera.y + dy });
  }

  // Drag to pan, two fingers to zoom, the wheel to pan and with Ctrl to zoom.
  navigate() {
    const { svg } = this;
    const fingers = new Map();
    const spread = () => {
      const [[ax, ay], [bx, by]] = [...fingers.values()];
      return { at: [(ax + bx) / 2, (ay + by) / 2], size: Math.hypot(ax - bx, ay - by) };
    };
    svg.addEventListener("pointerdown", (event) => {
      if (event.target.closest(".box.leaf")) return;
      fingers.set(event.pointerId, [event.offsetX, event.offsetY]);
    });
    svg.addEventListener("pointermove", (event) => {
      const last = fingers.get(event.pointerId);
      if (!last) return;
      const old = fingers.size === 2 ? spread() : null;
      fingers.set(event.pointerId, [event.offsetX, event.offsetY]);
      if (old) {
        this.zoom(spread().size / (old.size || 1), old.at);
      } else if (fingers.size === 1) {
        const { x, y, scale } = this.camera;
        const [dx, dy] = [event.offsetX - last[0], event.offsetY - last[1]];
        this.look({ x: x + dx, y: y + dy, scale });
      }
    });
    for (const kind of ["pointerup", "pointercancel", "pointerleave"]) {
      svg.addEventListener(kind, (event) => fingers.delete(event.pointerId));
    }
    svg.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        if (event.ctrlKey || event.metaKey) {
          this.zoom(Math.exp(-event.deltaY / 300), [event.offsetX, event.offsetY]);
        } else {
          const { x, y, scale } = this.camera;
          this.look({ x: x - event.deltaX, y: y - event.deltaY, scale });
        }
      },
      { passive: false },
    );
  }
}

function curve(points) {
  const [[x, y]] = points;
  let path = `M${x.toFixed(1)} ${y.toFixed(1)}`;
  for (let k = 1; k < points.length; k++) {
    const [[ax, ay], [bx, by]] = [points[k - 1], points[k]];
    const middle = (ax + bx) / 2;
    const numbers = [middle, ay, middle, by, bx, by].map((n) => n.toFixed(1));
    path += `C${numbers.join(" ")}`;
  }
  return path;
}
