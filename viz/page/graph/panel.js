// The panel: what is selected, its local derivatives, and the chain rule that made its
// gradient, term by term.

Object.assign(Explorer.prototype, {
  // ``moving`` while a number changes: a control in the hand stays what it is.
  showPanel(moving = false) {
    if (moving && document.activeElement.matches("aside input"))
      return this.updatePanel();
    const box = this.drawing.shapes.get(this.selected)?.box;
    const parts = box
      ? box.group
        ? this.groupPanel(box)
        : this.nodePanel(box.node)
      : this.overview();
    this.panel.replaceChildren(...parts.flat().filter(Boolean));
  },

  updatePanel() {
    const live = this.panel.querySelector(".live");
    const box = this.drawing.shapes.get(this.selected)?.box;
    if (live && box && box.node !== null)
      live.replaceChildren(...this.numbersOf(box.node));
  },

  overview() {
    const { graph } = this;
    const leaves = [...graph.nodes.keys()].filter((i) => graph.isLeaf(i));
    const shown = leaves.slice(0, 3 * MANY);
    const results = graph.results.map((i) => [this.link(i), String(graph.data[i])]);
    const several = graph.results.length > 1;
    return [
      html("h2", {}, several ? "Results" : "Result"),
      facts(results.slice(0, MANY)),
      several && html("p", {}, "Gradients are those of their sum, L."),
      html("h3", {}, "Leaves"),
      this.leafTable(shown),
      shown.length < leaves.length &&
        html("p", {}, `… and ${leaves.length - shown.length} more: search by label.`),
      ...this.derivation(leaves),
      legend(),
      html(
        "p",
        {},
        "Drag a leaf to the left or right, or give it the focus and press Shift with ↑ or ↓: everything is computed anew. Arrow keys walk the graph, Enter selects and unfolds.",
      ),
    ];
  },

  // Of a small graph, all of it: the value forwards, then the derivatives backwards.
  derivation(leaves) {
    const { interior } = this.graph;
    if (!interior.length || interior.length > MANY) return [];
    const backwards = [...interior.slice(0, -1).reverse(), ...leaves];
    return [
      html("h3", {}, "Derivation"),
      markup([
        ...interior.map((i) => this.valueEquation(i)),
        ...backwards.flatMap((i) => this.chainEquations(i)),
      ]),
    ];
  },

  leafTable(leaves) {
    const { graph } = this;
    const numeric = $("numeric").checked;
    const head = ["", "data", "grad", ...(numeric ? ["numeric"] : [])];
    const rows = leaves.map((i) => {
      const grad = graph.unknown[i] ? "?" : short(graph.grad[i]);
      const cells = [this.link(i), short(graph.data[i]), grad];
      if (numeric) cells.push(this.compared(i));
      return html("tr", {}, ...cells.map((cell) => html("td", {}, cell)));
    });
    const top = html(
      "tr",
      {},
      ...head.map((text) => html("th", { scope: "col" }, text || "leaf")),
    );
    return html("table", {}, html("thead", {}, top), html("tbody", {}, ...rows));
  },

  compared(i) {
    const found = this.differences.get(i) || this.graph.difference(i);
    if (!found) return "needs Python";
    const sign = { agrees: "", differs: " ≠", kink: " kink" }[found.verdict] ?? " ?";
    const look = found.verdict === "differs" ? "bad" : "";
    return html(
      "span",
      { class: look, title: found.verdict },
      short(found.central) + sign,
    );
  },

  nodePanel(i) {
    const { graph, folding } = this;
    const node = graph.nodes[i];
    const around = folding.around(i);
    return [
      html("h2", {}, this.titleOf(i)),
      html("div", { class: "live" }, ...this.numbersOf(i)),
      graph.isLeaf(i) && this.knob(i),
      around !== null &&
        html(
          "button",
          { onclick: () => this.fold(around) },
          `fold ${folding.groups[around].name}`,
        ),
      node.row && this.source(node),
    ];
  },

  // Everything about a node that changes with the numbers.
  numbersOf(i) {
    const { graph } = this;
    const node = graph.nodes[i];
    const rows = [["data", String(graph.data[i])]];
    const unknown = "unknown: only Python's backward() follows what was made by hand";
    const grad = graph.unknown[i] ? unknown : String(graph.grad[i]);
    if (node.row !== "") rows.push(["grad", grad]);
    if (graph.isLeaf(i)) rows.push(["numeric", this.compared(i)]);
    return [
      facts(rows),
      ...this.trace(i),
      ...(node.row ? this.localDerivatives(i) : []),
      ...(node.row === "" ? [] : this.chainRule(i)),
    ];
  },

  valueEquation(i) {
    const { graph, names } = this;
    const { args, row } = graph.nodes[i];
    const formula = mathml([row, ...args.map((j) => names[j])]);
    return equation(names[i], formula, mathml(graph.data[i]));
  },

  localDerivatives(i) {
    const { graph, names } = this;
    const { args } = graph.nodes[i];
    const y = names[i];
    const lines = args.map((j, k) => {
      if (graph.nodes[j].row === "") return "";
      const formula = partialFormula(graph, i, k, (n) => names[n]);
      const sides = [derivative(y, names[j]), mathml(formula)];
      if (typeof formula !== "number") sides.push(mathml(graph.slopes[i][k]));
      return equation(...sides);
    });
    return [
      html("h3", {}, "Local derivatives"),
      markup([this.valueEquation(i), ...few(lines.filter(Boolean))]),
    ];
  },

  chainRule(i) {
    const users = this.graph.users[i].filter(([k]) => this.graph.shares[k]);
    const count = users.length === 1 ? "1 way" : `${users.length} ways`;
    const links = spaced(users.slice(0, MANY).map(([k]) => this.link(k)));
    return [
      html("h3", {}, users.length ? `Chain rule: ${count} on` : "Chain rule"),
      markup(this.chainEquations(i, users)),
      users.length > 0 && html("p", {}, "through ", ...links),
    ].filter(Boolean);
  },

  // dL/dx = sum over users u of dL/du du/dx, and with its numbers.
  chainEquations(i, users = this.graph.users[i].filter(([k]) => this.graph.shares[k])) {
    const { graph, names } = this;
    const result = graph.results.length === 1 ? names[graph.results[0]] : "<mi>L</mi>";
    const own = derivative(result, names[i]);
    const ones = graph.results.filter((k) => k === i).map(() => "<mn>1</mn>");
    if (graph.unknown[i]) return [equation(own, "<mo>?</mo>")];
    if (!users.length) return [equation(own, ones.join("<mo>+</mo>") || "<mn>0</mn>")];
    const shown = users.slice(0, MANY);
    const more = shown.length < users.length ? ["<mi>…</mi>"] : [];
    const sum = (term) =>
      `<mrow>${[...ones, ...shown.map(term), ...more].join("<mo>+</mo>")}</mrow>`;
    const symbols = ([k]) =>
      derivative(result, names[k]) + derivative(names[k], names[i]);
    const numbers = ([k, n]) => mathml(["multiply", graph.grad[k], graph.slopes[k][n]]);
    return [equation(own, sum(symbols)), equation(sum(numbers), mathml(graph.grad[i]))];
  },

  // Where a number that is not finite came from.
  trace(i) {
    const { graph } = this;
    const told = [];
    if (!Number.isFinite(graph.data[i])) {
      const at = graph.origin(i);
      const numbers = graph.operands(at).map((x) => short(x));
      const text = graph.nodes[at].row ? ` of ${numbers.join(", ")}` : "";
      const what = `${short(graph.data[i])} arose at `;
      told.push(html("p", { class: "bad" }, what, this.link(at), text));
    }
    if (!Number.isFinite(graph.grad[i]) && !graph.unknown[i]) {
      const what = `the gradient ${short(graph.grad[i])} was sent by `;
      const from = this.link(graph.originOfGradient(i));
      told.push(html("p", { class: "bad" }, what, from));
    }
    return told;
  },

  knob(i) {
    const { graph } = this;
    const python = graph.needsPython(i);
    if (python !== undefined) {
      const why = "It cannot be moved here: only Python can evaluate ";
      return html("p", {}, why, this.link(python), ".");
    }
    const x = graph.data[i];
    const names = { value: x, "aria-label": `data of ${this.titleOf(i)}` };
    const controls = [];
    const set = ({ target }) => {
      const moved = target.valueAsNumber;
      if (Number.isNaN(moved)) return;
      for (const control of controls) control.value = moved;
      this.setLeaf(i, moved);
    };
    const size = Math.max(1, 2 * Math.abs(x));
    if (size < 1e300) {
      const range = { type: "range", min: x - size, max: x + size, step: size / 200 };
      controls.push(html("input", { ...range, ...names, oninput: set }));
    }
    controls.push(
      html("input", { type: "number", step: "any", ...names, onchange: set }),
    );
    return html("div", {}, html("h3", {}, "Move it"), ...controls);
  },

  groupPanel(box) {
    const { graph } = this;
    const { name: title, size } = box.group;
    const id = Number(box.key.slice(1));
    const leaves = box.members.filter((i) => graph.isLeaf(i));
    const counts = [
      ...grouped(
        box.members.filter((i) => graph.nodes[i].row),
        (i) => symbolOf(graph.nodes[i]),
      ),
    ];
    const rows = [["nodes", String(size)]];
    if (leaves.length)
      rows.push([
        "parameters",
        `${leaves.length}: ${span(leaves.map((i) => graph.data[i]))}`,
      ]);
    if (box.outs.length) {
      rows.push([
        "outputs",
        `${box.outs.length}: ${span(box.outs.map((i) => graph.data[i]))}`,
      ]);
      rows.push(["their grad", span(box.outs.map((i) => graph.grad[i]))]);
    }
    rows.push([
      "operations",
      counts.map(([symbol, all]) => `${all.length} ${symbol}`).join(", "),
    ]);
    return [
      html("h2", {}, title),
      html("button", { onclick: () => this.unfold(id) }, "unfold"),
      facts(rows),
      leaves.length > 0 && leaves.length <= 3 * MANY && this.leafTable(leaves),
    ];
  },

  // The lines of Python around the one that made a node.
  source({ source }) {
    const known = source === undefined ? null : this.sources[source];
    if (!known) return null;
    const lines = known.lines.map((text, k) => {
      const line = `${String(known.first + k).padStart(4)}  ${text}\n`;
      return known.first + k === known.line ? html("mark", {}, line) : line;
    });
    return html(
      "div",
      {},
      html("h3", {}, `${known.file}, line ${known.line}`),
      html("pre", { tabindex: "0" }, ...lines),
    );
  },

  link(i) {
    return html(
      "button",
      { class: "link", onclick: () => this.toNode(i) },
      this.titleOf(i),
    );
  },
});

function facts(rows) {
  const cells = rows.flatMap(([term, value]) => [
    html("dt", {}, term),
    html("dd", {}, value),
  ]);
  return html("dl", {}, ...cells);
}

function markup(lines) {
  const made = html("div", {
    class: "formulas",
    tabindex: "0",
    role: "group",
    "aria-label": "formulas",
  });
  made.innerHTML = lines.join("");
  return made;
}

function few(lines) {
  const rest = lines.length - MANY;
  return rest > 0 ? [...lines.slice(0, MANY), `<p>… and ${rest} more</p>`] : lines;
}

function spaced(things) {
  return things.flatMap((thing, k) => (k ? [", ", thing] : [thing]));
}

function legend() {
  const colours = [
    ["var(--leaf)", "leaf"],
    ["var(--operation)", "operation"],
    ["var(--group)", "folded group"],
    ["rgb(var(--positive))", "gradient above 0"],
    ["rgb(var(--negative))", "below 0"],
    ["var(--nan)", "NaN or infinite"],
  ];
  const entries = colours.map(([colour, text]) => {
    const patch = html("i", {});
    patch.style.background = colour;
    return html("span", {}, patch, text);
  });
  return html("div", { class: "key" }, ...entries);
}
