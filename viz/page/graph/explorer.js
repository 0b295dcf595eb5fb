// The page around a graph: selection, numbers that are dragged, both passes step by step,
// folding, search, and the panel that derives what is selected.

class Explorer {
  constructor(graph, { sources = [], title = "" } = {}) {
    this.sources = sources;
    this.svg = $("graph");
    this.panel = document.querySelector("aside");
    this.drawing = new Drawing(this.svg, (box) => this.describe(box));
    this.controls();
    this.pointer();
    this.keyboard();
    this.open(graph, title);
  }

  open(graph, title) {
    this.graph = graph;
    this.start = graph.data.slice();
    this.folding = new Folding(graph);
    this.words = nodeWords(graph);
    this.names = this.words.map((word, i) =>
      word ? name(word) : mathml(graph.data[i]),
    );
    this.step = graph.steps - 1;
    this.state = graph.after(this.step);
    this.differences = new Map();
    this.selected = null;
    this.focus = null;
    this.drawing.clear();
    document.querySelector("h1").textContent = title;
    $("step").max = graph.steps - 1;
    $("step").value = this.step;
    const labels = new Set(graph.nodes.map((node) => node.label).filter(Boolean));
    $("labels").replaceChildren(
      ...[...labels].map((value) => html("option", { value })),
    );
    this.measure();
    this.redraw();
    this.drawing.fit();
    this.say(this.summary());
    this.showPanel();
  }

  // -- What a box says ---------------------------------------------------------------

  describe(box) {
    if (box.group) return this.describeGroup(box);
    const { graph, state } = this;
    const i = box.node;
    const node = graph.nodes[i];
    const constant = node.row === "";
    const data = state.known[i] ? graph.data[i] : null;
    const grad = state.whole ? graph.grad[i] : state.grad[i];
    const lost = graph.unknown[i] && grad !== null;
    const wrong = this.differences.get(i)?.verdict === "differs";
    const marks = wrong ? " ≠" : Number.isFinite(data ?? 0) ? "" : this.markOf(i);
    const kind = constant ? "constant" : node.row ? "operation" : "leaf";
    const plain = Number.isFinite(data ?? 0) ? "var(--paper)" : "var(--nan)";
    if (constant) {
      return { kind, title: "", cells: [[short(data), plain]], tip: String(data) };
    }
    return {
      kind,
      title: clipped(
        [symbolOf(node), node.label].filter(Boolean).join("  ") + marks,
        24,
      ),
      cells: [
        [`data ${data === null ? "…" : short(data)}`, plain],
        lost
          ? ["grad ?", "var(--paper)"]
          : [
              `grad ${grad === null ? "…" : short(grad)}`,
              tint(grad ?? 0, this.largest),
            ],
      ],
      state: this.stateOf(box) + (wrong ? " wrong" : ""),
      tip: `${node.row || "leaf"} ${node.label}\ndata ${data}\ngrad ${grad}`,
    };
  }

  markOf(i) {
    return this.graph.origin(i) === i ? " ⚠ arises here" : " ⚠";
  }

  describeGroup(box) {
    const { graph, state } = this;
    const outs = box.outs.length ? box.outs : box.members;
    const known = outs.every((i) => state.known[i]);
    const grads = outs.map((i) => (state.whole ? graph.grad[i] : state.grad[i]));
    const { name, kind, size } = box.group;
    const bad = outs.some((i) => !Number.isFinite(graph.data[i]));
    const [low, high] = range(grads.map((x) => x ?? 0));
    const strongest = Math.abs(low) > Math.abs(high) ? low : high;
    const missing = grads.some((x) => x === null);
    return {
      kind: "group",
      title: clipped(kind === "dot" ? `dot ${name}` : name, 30),
      cells: [
        [
          `data ${known ? span(outs.map((i) => graph.data[i])) : "…"}`,
          bad ? "var(--nan)" : "var(--paper)",
        ],
        [`grad ${missing ? "…" : span(grads)}`, tint(strongest, this.largest)],
      ],
      state: this.stateOf(box),
      tip: `${name}: ${size} nodes, folded`,
    };
  }

  stateOf({ key, members }) {
    const { current, whole, known } = this.state;
    const parts = [];
    if (key === this.selected) parts.push("selected");
    if (!whole && current !== null && members.includes(current)) parts.push("current");
    if (!whole && !members.some((i) => known[i])) parts.push("dim");
    return parts.join(" ");
  }

  // -- Drawing -----------------------------------------------------------------------

  measure() {
    const sizes = this.graph.grad.map(Math.abs).filter(Number.isFinite);
    this.largest = sizes.reduce((a, b) => Math.max(a, b), 0);
  }

  redraw() {
    const view = this.folding.view();
    for (const box of view.boxes) {
      if (box.node !== null) box.ports = this.graph.nodes[box.node].args.length;
    }
    for (const edge of view.edges) edge.part = this.partOf(view, edge);
    this.drawing.show(view);
    this.roving();
    this.labelEdges();
    $("fold").disabled = !this.folding.groups.length;
    $("unfold").disabled = !this.folding.folded.size;
  }

  // The part that an operand plays here, where operands may not trade places.
  partOf({ boxes }, { head, port }) {
    const { node } = boxes[head];
    return (node !== null && PARTS[this.graph.nodes[node].row]?.[port]) || "";
  }

  refresh(moving = false) {
    this.measure();
    this.drawing.refresh(moving);
    if (!moving || !this.state.whole) this.labelEdges();
  }

  // The shares of the cotangent that arrive in this step, on their arrows; else places.
  labelEdges() {
    const { sent, current, whole } = this.state;
    const shares = new Map(sent.map(({ k, share: part }) => [k, part]));
    for (const { parts, part, path, label } of this.drawing.edges) {
      const hot =
        !whole && parts.some(([i, k]) => i === current && this.flows(k, shares));
      path.setAttribute("class", hot ? "edge hot" : "edge");
      const arriving = hot && this.state.backward && parts.length === 1;
      label.textContent = arriving ? `+= ${short(shares.get(parts[0][1]))}` : part;
      label.setAttribute("class", arriving ? "edge-label" : "edge-label part");
    }
  }

  flows(k, shares) {
    return this.state.backward ? shares.has(k) : true;
  }

  say(text) {
    $("said").textContent = text;
  }

  summary() {
    const { nodes, data, grad, results, unknown } = this.graph;
    const bad = results.find((i) => !Number.isFinite(data[i]));
    const badGradient = nodes.findIndex(
      (_, i) => !Number.isFinite(grad[i]) && !unknown[i],
    );
    const boxes = this.drawing.boxes.length;
    const folded = boxes < nodes.length ? `, drawn as ${boxes} boxes` : "";
    const count = nodes.length === 1 ? "1 node" : `${nodes.length} nodes`;
    let text = `${count}${folded}. Drag a leaf, or select a node.`;
    if (bad !== undefined) {
      const from = this.titleOf(this.graph.origin(bad));
      text += ` ${short(data[bad])} arises at ${from}.`;
    } else if (badGradient >= 0) {
      const from = this.titleOf(this.graph.originOfGradient(badGradient));
      text += ` A gradient of ${short(grad[badGradient])} is sent by ${from}.`;
    }
    if (unknown.some(Boolean)) {
      text += " Gradients marked ? go through what only Python's backward() follows.";
    }
    return text;
  }

  titleOf(i) {
    const { row } = this.graph.nodes[i];
    return [row, this.words[i]].filter(Boolean).join(" ") || "a number";
  }

  // -- Both passes, step by step -----------------------------------------------------

  goTo(step) {
    this.step = Math.max(0, Math.min(this.graph.steps - 1, step));
    this.state = this.graph.after(this.step);
    $("step").value = this.step;
    this.drawing.refresh();
    this.labelEdges();
    this.say(this.narrative());
    const { current } = this.state;
    if (current !== null && !this.state.whole) {
      this.drawing.reveal(this.folding.boxOf(current));
    }
  }

  narrative() {
    const { step, current, sent, backward, whole } = this.state;
    const at = `Step ${step} of ${this.graph.steps - 1}. `;
    if (step === 0) return `${at}Only the leaves have numbers yet.`;
    if (!backward) {
      const numbers = this.graph
        .operands(current)
        .map((x) => short(x))
        .join(", ");
      const result = short(this.graph.data[current]);
      return `${at}Forward: ${this.titleOf(current)} of ${numbers} = ${result}.`;
    }
    if (!sent.length && current === this.graph.results[this.graph.results.length - 1]) {
      return this.graph.results.length === 1
        ? `${at}Backward begins: the derivative of the result by itself is 1.`
        : `${at}Backward begins: the derivative of the results' sum by each is 1.`;
    }
    const parts = sent.map(({ to, share: part, before }) => {
      const sum = before === null ? "" : `, ${short(before)} before`;
      return `${short(part)} to ${this.titleOf(to)}${sum}`;
    });
    const what = parts.length ? `sends ${parts.join("; ")}` : "sends nothing";
    return `${at}Backward: ${this.titleOf(current)} ${what}.${whole ? " Done." : ""}`;
  }

  play() {
    const stop = () => {
      clearInterval(this.playing);
      this.playing = null;
      $("play").textContent = "play";
    };
    if (this.playing) return stop();
    if (this.state.whole) this.goTo(0);
    $("play").textContent = "pause";
    const pace = Math.max(60, Math.min(600, 20000 / this.graph.steps));
    this.playing = setInterval(() => {
      this.goTo(this.step + 1);
      if (this.state.whole) stop();
    }, pace);
  }

  // -- Numbers -----------------------------------------------------------------------

  setLeaf(i, x) {
    this.graph.set(i, x);
    this.numbersChanged();
  }

  reset() {
    this.graph.data.splice(0, Infinity, ...this.start);
    this.graph.run();
    this.numbersChanged();
    this.say(this.summary());
  }

  numbersChanged() {
    this.state = this.graph.after(this.step);
    this.differences.clear();
    if ($("numeric").checked) this.compareSoon();
    this.refresh(true);
    this.showPanelSoon();
    this.moved?.();
  }

  // Finite differences beside the gradients of all leaves, when asked for.
  compare() {
    this.differences.clear();
    if ($("numeric").checked) {
      this.graph.nodes.forEach((_, i) => {
        const found = this.graph.isLeaf(i) && this.graph.difference(i);
        if (found) this.differences.set(i, found);
      });
      const wrong = [...this.differences.values()].filter(
        (d) => d.verdict === "differs",
      );
      const count = this.differences.size;
      this.say(
        count
          ? `${count} gradients compared with differences: ${wrong.length} differ.`
          : "No gradient can be compared here: only Python can evaluate all of it.",
      );
    }
    this.refresh();
    this.showPanel(true);
  }

  compareSoon() {
    clearTimeout(this.later);
    this.later = setTimeout(() => this.compare(), 120);
  }

  showPanelSoon() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.showPanel(true);
    });
  }

  // -- Selection and folding ---------------------------------------------------------

  select(key) {
    this.selected = key;
    this.focus = key;
    this.drawing.refresh();
    this.roving();
    this.showPanel();
  }

  toNode(i) {
    const key = this.folding.boxOf(i);
    this.drawing.reveal(key);
    this.select(key);
    this.drawing.shapes.get(key).group.focus({ preventScroll: true });
  }

  unfold(id) {
    this.folding.unfold(id);
    this.selected = null;
    this.redraw();
    const first = this.folding.paths.findIndex((path) => path.includes(id));
    this.select(this.folding.boxOf(first));
    this.drawing.reveal(this.selected);
    this.say(`Unfolded ${this.folding.groups[id].name}.`);
  }

  fold(id) {
    this.folding.folded.add(id);
    this.redraw();
    this.select(`g${id}`);
    this.drawing.reveal(`g${id}`);
    this.say(`Folded ${this.folding.groups[id].name}.`);
  }

  foldAll(fold) {
    this.folding.all(fold);
    this.selected = null;
    this.redraw();
    this.drawing.fit();
    this.say(this.summary());
    this.showPanel();
  }

  // The next of the nodes with this name; else with a name, or an operation, like it.
  search(text) {
    const wanted = text.trim().toLowerCase();
    this.searched = text;
    if (!wanted) return this.say(this.summary());
    const { nodes } = this.graph;
    const all = [...nodes.keys()].filter((i) => !nodes[i].hidden);
    const exact = all.filter((i) => this.words[i].toLowerCase() === wanted);
    const like = (i) =>
      this.words[i].toLowerCase().includes(wanted) ||
      nodes[i].row === wanted ||
      symbolOf(nodes[i]) === wanted;
    const found = exact.length ? exact : all.filter(like);
    if (!found.length) return this.say(`Nothing is called ${text}.`);
    const now = found.findIndex((i) => this.folding.boxOf(i) === this.selected);
    const next = found[(now + 1) % found.length];
    for (const id of this.folding.paths[next]) this.folding.folded.delete(id);
    this.redraw();
    const key = this.folding.boxOf(next);
    this.select(key);
    this.drawing.reveal(key);
    this.say(`${found.length} found; this is ${this.titleOf(next)}.`);
  }
}

// What every node is called: its label; else the result is y, and others are numbered,
// past what labels have taken.
function nodeWords(graph) {
  const taken = new Set(graph.nodes.map((node) => node.label));
  const counts = { v: 0, x: 0 };
  const free = (letter) => {
    let word;
    do word = `${letter}${++counts[letter]}`;
    while (taken.has(word));
    return word;
  };
  const result = ["y", "L", "result", "y_"].find((word) => !taken.has(word));
  return graph.nodes.map(({ label, row }, i) => {
    if (label || row === "") return label;
    if (graph.results.length === 1 && i === graph.results[0]) return result;
    return free(row ? "v" : "x");
  });
}

function symbolOf(node) {
  if (node.row === "dot") return "dot";
  return node.row ? node.symbol || ROWS[node.row]?.symbol || node.row : "";
}

function clipped(text, width) {
  const letters = [...text];
  return letters.length > width ? `${letters.slice(0, width - 1).join("")}…` : text;
}

function range(numbers) {
  const bad = numbers.find(Number.isNaN);
  if (bad !== undefined) return [NaN, NaN];
  return [Math.min(...numbers), Math.max(...numbers)];
}

function span(numbers) {
  const [low, high] = range(numbers);
  return low === high || Number.isNaN(low)
    ? short(low)
    : `${short(low, 2)} … ${short(high, 2)}`;
}
