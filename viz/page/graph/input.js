// What hands do: buttons, the pointer on boxes, keys.

Object.assign(Explorer.prototype, {
  controls() {
    const clicks = {
      first: () => this.goTo(0),
      back: () => this.goTo(this.step - 1),
      next: () => this.goTo(this.step + 1),
      last: () => this.goTo(this.graph.steps - 1),
      play: () => this.play(),
      fold: () => this.foldAll(true),
      unfold: () => this.foldAll(false),
      fit: () => this.drawing.fit(0.02),
      in: () => this.drawing.zoom(1.25),
      out: () => this.drawing.zoom(0.8),
      reset: () => this.reset(),
    };
    for (const [id, act] of Object.entries(clicks))
      $(id).addEventListener("click", act);
    $("step").addEventListener("input", (event) =>
      this.goTo(Number(event.target.value)),
    );
    $("numeric").addEventListener("change", () => this.compare());
    $("search").addEventListener("change", ({ target }) => {
      if (target.value !== this.searched) this.search(target.value);
    });
    $("search").addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.search(event.target.value);
    });
    addEventListener("resize", () => this.drawing.fit());
  },

  // A click selects; a leaf is dragged: to the right is more, up to the left is less.
  pointer() {
    let held = null;
    this.svg.addEventListener("pointerdown", (event) => {
      const group = event.target.closest(".box");
      if (!group) return;
      const { box } = this.drawing.shapes.get(group.dataset.key);
      held = { box, x: event.clientX, y: event.clientY, moved: false };
      const leaf = box.node !== null && this.graph.isLeaf(box.node);
      if (leaf && this.graph.needsPython(box.node) === undefined) {
        held.leaf = box.node;
        held.from = this.graph.data[box.node];
        this.svg.setPointerCapture(event.pointerId);
      }
    });
    this.svg.addEventListener("pointermove", (event) => {
      if (!held) return;
      const [dx, dy] = [event.clientX - held.x, event.clientY - held.y];
      if (Math.abs(dx) + Math.abs(dy) > 3) held.moved = true;
      if (held.leaf === undefined || !held.moved) return;
      if (this.selected !== held.box.key) this.select(held.box.key);
      this.setLeaf(
        held.leaf,
        rounded(held.from + dx * unit(held.from), unit(held.from)),
      );
    });
    this.svg.addEventListener("pointerup", () => {
      if (held && !held.moved) this.choose(held.box);
      if (held?.leaf !== undefined && held.moved) this.say(this.change(held.leaf));
      held = null;
    });
    this.svg.addEventListener("pointercancel", () => (held = null));
  },

  change(i) {
    const { data, grad, results } = this.graph;
    const result = results.map((k) => short(data[k])).join(", ");
    return `${this.titleOf(i)} = ${short(data[i])}: result ${result}, grad ${short(grad[i])}.`;
  },

  choose(box) {
    this.select(box.key);
    this.drawing.shapes.get(box.key).group.focus({ preventScroll: true });
  },

  // Arrows walk the graph, Enter selects or unfolds, Shift with up and down moves a leaf.
  keyboard() {
    this.svg.addEventListener("focusin", ({ target }) => {
      if (target.dataset.key) this.drawing.reveal(target.dataset.key);
    });
    this.svg.addEventListener("keydown", (event) => {
      const shape = this.drawing.shapes.get(event.target.dataset?.key);
      if (!shape) return;
      const { box } = shape;
      const leaf = box.node !== null && this.graph.isLeaf(box.node);
      const up = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (event.key === "Enter" || event.key === " ") {
        if (box.group && this.selected === box.key) {
          this.unfold(Number(box.key.slice(1)));
          this.drawing.shapes.get(this.selected).group.focus();
        } else this.choose(box);
      } else if (event.shiftKey && up && leaf) {
        if (this.graph.needsPython(box.node) !== undefined) return;
        const x = this.graph.data[box.node];
        this.setLeaf(box.node, rounded(x + up * 5 * unit(x), unit(x)));
        this.say(this.change(box.node));
      } else if (event.key.startsWith("Arrow")) {
        const next = this.neighbour(box, event.key);
        if (next) {
          this.focus = next.key;
          this.roving();
          this.drawing.shapes.get(next.key).group.focus({ preventScroll: true });
        }
      } else if (event.key === "Escape") {
        this.select(null);
      } else return;
      event.preventDefault();
    });
  },

  neighbour(box, key) {
    const { boxes, edges } = this.drawing;
    const here = boxes.indexOf(box);
    if (key === "ArrowLeft")
      return boxes[edges.find((edge) => edge.head === here)?.tail];
    if (key === "ArrowRight")
      return boxes[edges.find((edge) => edge.tail === here)?.head];
    const column = boxes.filter((other) => other.column === box.column);
    column.sort((a, b) => a.y - b.y);
    return column[column.indexOf(box) + (key === "ArrowUp" ? -1 : 1)];
  },

  // One box is in the order of the Tab key: the one that was visited last.
  roving() {
    const { shapes, boxes } = this.drawing;
    if (this.entry?.isConnected) this.entry.setAttribute("tabindex", "-1");
    const last = boxes[boxes.length - 1];
    const shape = shapes.get(this.focus) || (last && shapes.get(last.key));
    this.entry = shape?.group;
    this.entry?.setAttribute("tabindex", "0");
  },
});

// How much a leaf changes for each pixel, and rounding to that.
function unit(x) {
  return 10 ** Math.floor(Math.log10(Math.max(Math.abs(x), 0.1))) / 50;
}

function rounded(x, step) {
  return Number((Math.round(x / step) * step).toPrecision(12));
}
