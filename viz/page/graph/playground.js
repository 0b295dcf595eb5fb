// The playground: a formula and its numbers are typed, the page of their graph follows.
// Both stand in the page's address, so that a link shares them.

class Playground {
  constructor({ formula, numbers, examples }) {
    this.numbers = new Map();
    this.given = { formula, numbers };
    $("examples").append(
      ...examples.map(([title], k) => html("option", { value: k }, title)),
    );
    $("examples").addEventListener("change", ({ target }) => {
      if (target.value === "") return;
      const [, text, known] = examples[target.value];
      this.show(text, Object.entries(known));
      target.value = "";
    });
    $("formula").addEventListener("input", ({ target }) => this.read(target.value));
    $("share")?.addEventListener("click", () => this.share());
    $("known").textContent =
      `Operators +, -, *, /, //, %, ** and one comparison, lists in [ ], the constants ` +
      `${FORMULAS.constants.join(", ")}, and the functions ${FORMULAS.functions.join(", ")}.`;
    addEventListener("hashchange", () => this.fromAddress());
    if (!this.fromAddress()) this.show(formula, Object.entries(numbers));
  }

  show(formula, numbers) {
    for (const [name, x] of numbers) this.numbers.set(name, number(x));
    $("formula").value = formula;
    this.read(formula);
  }

  // Draw a formula; while it is no formula, what was drawn stays, and the place is shown.
  read(text) {
    try {
      const program = FORMULAS.parse(text);
      const graph = this.graphOf(program);
      this.text = text;
      this.mistake("");
      this.draw(graph, text);
      this.fields(FORMULAS.names(program));
    } catch (error) {
      if (!(error instanceof FORMULAS.FormulaError)) throw error;
      this.mistake(`${error.message}\n${text}\n${" ".repeat(error.column)}^`);
    }
  }

  mistake(text) {
    $("mistake").textContent = text;
    $("formula").setAttribute("aria-invalid", text !== "");
  }

  graphOf(program) {
    const nodes = [];
    const add = (node) => nodes.push({ args: [], label: "", data: 0, ...node }) - 1;
    const builder = {
      leaf: (label) => add({ row: null, label, data: this.numbers.get(label) ?? 1 }),
      constant: (data) => add({ row: "", data }),
      apply: (row, groups) => {
        const sizes = groups.map((group) => group.length);
        return add({ row, args: groups.flat(), sizes });
      },
    };
    const result = FORMULAS.build(program, builder);
    const opened = withDotsOpen(nodes, [result]);
    return new Graph(opened.nodes, opened.results);
  }

  draw(graph, text) {
    if (!this.explorer) {
      this.explorer = new Explorer(graph, { title: text });
      this.explorer.moved = () => this.follow();
    } else {
      this.explorer.open(graph, text);
    }
  }

  // A field for the number of each name, with the gradient beside it.
  fields(names) {
    const { graph } = this.explorer;
    this.leaves = names.map((name) =>
      graph.nodes.findIndex((n) => n.row === null && n.label === name),
    );
    const labels = names.map((name, k) => {
      const input = html("input", {
        ...{ type: "text", inputmode: "decimal", value: graph.data[this.leaves[k]] },
        oninput: ({ target }) => this.type(name, k, target),
      });
      return html("label", {}, `${name} =`, input, html("output"));
    });
    $("numbers").replaceChildren(...labels);
    this.follow();
  }

  type(name, k, field) {
    const x = pythonNumber(field.value);
    field.setAttribute("aria-invalid", x === null);
    if (x === null) return this.mistake(`${name} is not a number: ${field.value}`);
    if ($("formula").value === this.text) this.mistake("");
    this.explorer.setLeaf(this.leaves[k], x);
  }

  // The fields after a number has moved: by hand, or in the graph.
  follow() {
    const { graph } = this.explorer;
    [...$("numbers").children].forEach((label, k) => {
      const i = this.leaves[k];
      const [field, output] = label.children;
      this.numbers.set(graph.nodes[i].label, graph.data[i]);
      if (field !== document.activeElement) field.value = graph.data[i];
      output.textContent = `grad ${short(graph.grad[i])}`;
    });
    this.remember();
  }

  // -- The address -------------------------------------------------------------------

  // #tanh(w*x)&w=-3&x=2, of the last text that was a formula.
  remember() {
    clearTimeout(this.later);
    this.later = setTimeout(() => {
      const words = this.leaves.map((i) => this.explorer.graph.nodes[i].label);
      const pairs = words.map((word) =>
        [word, this.numbers.get(word)].map(encodeURIComponent).join("="),
      );
      this.fragment = `#${[encodeURIComponent(this.text), ...pairs].join("&")}`;
      if (!framed) history.replaceState(null, "", this.fragment);
    }, 200);
  }

  // What a link says; an unreadable formula is shown as such, above the page's own.
  fromAddress() {
    if (location.hash === this.fragment) return true;
    const [first, ...rest] = location.hash.slice(1).split("&");
    const text = decoded(first);
    if (!text) return false;
    const numbers = rest
      .map((part) => part.split("=").map(decoded))
      .map(([name, number]) => [name, pythonNumber(number ?? "")])
      .filter(([, x]) => x !== null);
    this.show(text, numbers);
    if (!this.explorer) {
      this.show(this.given.formula, Object.entries(this.given.numbers));
      $("formula").value = text;
      this.read(text);
    }
    return true;
  }

  share() {
    const link = location.href.split("#")[0] + (this.fragment || "");
    const done = () => this.explorer.say(`The link is copied: ${link}`);
    const shown = () => this.explorer.say(link);
    if (navigator.clipboard) navigator.clipboard.writeText(link).then(done, shown);
    else shown();
  }
}

// A page inside another one, as in a notebook, has no address of its own.
const framed = location.protocol === "about:";

// The number that Python's float() reads; null for none.
function pythonNumber(text) {
  const plain = text.trim().toLowerCase();
  const word = /^([+-]?)(inf|infinity|nan)$/.exec(plain);
  if (word) return word[2] === "nan" ? NaN : word[1] === "-" ? -Infinity : Infinity;
  const digits = /^[+-]?(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(e[+-]?\d+)?$/.test(plain);
  return digits ? Number(plain.replaceAll("_", "")) : null;
}

// Part of an address; one that was cut in the middle stays as it is.
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

if (framed) $("share").remove();
const playground = new Playground(DATA);
