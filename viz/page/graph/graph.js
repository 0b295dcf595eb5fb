// The graph: nodes in topological order, their numbers, and the two passes.
//
// A node is {row, args, sizes, label, data, source, path}. ``row`` names the operation,
// and is null for a leaf and "" for a constant; ``args`` are the operands' indices, the
// groups of an n-ary row chained; ``sizes`` are the groups' lengths. What only Python can
// evaluate is no row of ROWS: it keeps its data, and brings its ``slopes``, which are null
// where only Python can go backwards: then gradients below are unknown.

class Graph {
  constructor(nodes, results) {
    this.nodes = nodes;
    this.results = results;
    this.users = nodes.map(() => []);
    nodes.forEach((node, i) => {
      node.args.forEach((j, k) => this.users[j].push([i, k]));
    });
    this.interior = [...nodes.keys()].filter((i) => nodes[i].row);
    this.data = nodes.map((node) => node.data);
    this.run();
  }

  run() {
    this.forward();
    this.backward();
  }

  isLeaf(i) {
    return this.nodes[i].row === null;
  }

  operands(i, data = this.data) {
    return this.nodes[i].args.map((j) => data[j]);
  }

  evaluate(i, data) {
    const { row: name, dot } = this.nodes[i];
    const row = ROWS[name];
    if (!row) return data[i];
    // An opened dot begins with its first product, not with 0: that matters for -0.
    if (name === "sum" && dot !== undefined) {
      return this.operands(i, data).reduce((total, x) => total + x);
    }
    return row.value(...inGroups(row, this.nodes[i], this.operands(i, data)));
  }

  forward(data = this.data, nodes = this.interior) {
    for (const i of nodes) data[i] = this.evaluate(i, data);
  }

  // The partial derivative for each operand, at the numbers that they have now.
  partials(i) {
    const node = this.nodes[i];
    const row = ROWS[node.row];
    if (!row) return node.slopes || node.args.map(() => NaN);
    const operands = inGroups(row, node, this.operands(i));
    const found = row.partials(...operands, this.data[i]);
    return row.arity === null ? found.flat() : found;
  }

  // Cotangents of all nodes: {grad, slopes, shares}, the shares in their operands' order.
  backward() {
    this.grad = this.nodes.map(() => 0);
    this.reached = this.nodes.map(() => false);
    this.unknown = this.nodes.map(() => false);
    this.slopes = this.nodes.map(() => null);
    this.shares = this.nodes.map(() => null);
    for (const i of this.results) {
      this.grad[i] += 1;
      this.reached[i] = true;
    }
    for (let k = this.interior.length - 1; k >= 0; k--) this.pull(this.interior[k]);
  }

  pull(i) {
    const { row, args } = this.nodes[i];
    this.slopes[i] = this.partials(i);
    if (!this.reached[i]) return;
    const known = ROWS[row] || { chooses: false };
    const lost = this.unknown[i] || this.nodes[i].slopes === null;
    this.shares[i] = this.slopes[i].map((slope) => share(known, this.grad[i], slope));
    args.forEach((j, k) => {
      if (this.nodes[j].row === "" || (known.chooses && this.slopes[i][k] === 0))
        return;
      this.grad[j] += this.shares[i][k];
      this.reached[j] = true;
      this.unknown[j] ||= lost;
    });
  }

  // All that is computed from a node, in topological order.
  above(i) {
    const marked = new Set([i]);
    return this.interior.filter((k) => {
      const hit = this.nodes[k].args.some((j) => marked.has(j));
      if (hit) marked.add(k);
      return hit;
    });
  }

  // What only Python can evaluate, and depends on a node.
  needsPython(i, above = this.above(i)) {
    return above.find((k) => !ROWS[this.nodes[k].row]);
  }

  set(i, x) {
    this.data[i] = x;
    this.forward(this.data, this.above(i));
    this.backward();
  }

  // The slope by differences: central, and from either side, which differ at a kink.
  // The step is the one of autograd.gradcheck: eps^(1/3) max(1, |x|).
  difference(i) {
    const above = this.above(i);
    if (this.unknown[i] || this.needsPython(i, above) !== undefined) return null;
    const x = this.data[i];
    const step = Math.cbrt(Number.EPSILON) * Math.max(1, Math.abs(x));
    const [low, at, high] = [x - step, x, x + step].map((moved) => {
      const data = this.data.slice();
      data[i] = moved;
      this.forward(data, above);
      return this.results.reduce((total, k) => total + data[k], 0);
    });
    const central = (high - low) / (x + step - (x - step));
    const sides = [(at - low) / (x - (x - step)), (high - at) / (x + step - x)];
    const noise =
      (8 * Number.EPSILON * Math.max(...[low, at, high].map(Math.abs))) / step;
    return { central, sides, verdict: verdict(this.grad[i], central, sides, noise) };
  }

  // Where a number that is not finite arose: down from here, by operands that were
  // chosen and are not finite in the same way, to a node that has none.
  origin(i) {
    for (;;) {
      const next = this.nodes[i].args.find(
        (j, k) => alikeNotFinite(this.data[i], this.data[j]) && this.isChosen(i, k),
      );
      if (next === undefined) return i;
      i = next;
    }
  }

  isChosen(i, k) {
    return !(ROWS[this.nodes[i].row]?.chooses && this.slopes[i][k] === 0);
  }

  // The same for a gradient: up from here, to the node that sent it.
  originOfGradient(i) {
    for (;;) {
      const sent = this.users[i].find(
        ([k, n]) => this.shares[k] && alikeNotFinite(this.grad[i], this.shares[k][n]),
      );
      if (!sent) return i;
      const before = this.grad[i];
      i = sent[0];
      if (!alikeNotFinite(before, this.grad[i])) return i;
    }
  }

  // The passes step by step: nothing, each operation, the seed, each operation again.
  get steps() {
    return 2 * this.interior.length + 2;
  }

  // What is known after a number of steps, and which node the last one was about.
  after(step) {
    const count = this.interior.length;
    const known = this.nodes.map((node) => !node.row);
    for (const i of this.interior.slice(0, step)) known[i] = true;
    const grad = this.nodes.map(() => null);
    let sent = null;
    let current = step > 0 && step <= count ? this.interior[step - 1] : null;
    if (step > count) {
      for (const i of this.results) grad[i] = (grad[i] ?? 0) + 1;
      const done = step - count - 1;
      const order = this.interior.slice().reverse().slice(0, done);
      for (const i of order) {
        if (this.shares[i]) {
          sent = this.nodes[i].args
            .map((j, k) => ({ to: j, k, share: this.shares[i][k], before: grad[j] }))
            .filter(({ to }) => this.nodes[to].row !== "");
          for (const { to, share: part } of sent) grad[to] = (grad[to] ?? 0) + part;
        } else sent = [];
        current = i;
      }
      if (!done) current = this.results[this.results.length - 1];
    }
    const whole = step >= this.steps - 1;
    return {
      step,
      known,
      grad,
      sent: sent || [],
      current,
      backward: step > count,
      whole,
    };
  }
}

// Whether both are NaN, or both infinite.
function alikeNotFinite(x, y) {
  if (Number.isFinite(x) || Number.isFinite(y)) return false;
  return Number.isNaN(x) === Number.isNaN(y);
}

function inGroups(row, node, flat) {
  if (row.arity !== null) return flat;
  let start = 0;
  return node.sizes.map((size) => flat.slice(start, (start += size)));
}

// How a derivative compares with differences, whose own error is known roughly.
function verdict(analytic, central, [left, right], noise) {
  if (!Number.isFinite(central)) return "not finite here";
  const slack = 1e-5 * Math.max(1, Math.abs(central)) + 4 * noise;
  if (Math.abs(analytic - central) <= slack) return "agrees";
  const [low, high] = left < right ? [left, right] : [right, left];
  const inside = analytic >= low - slack && analytic <= high + slack;
  return inside && high - low > 10 * slack ? "kink" : "differs";
}

const LONGEST = 64; // terms of a dot that is drawn as its products and their sum

// The same graph with its dots as products and a sum, which remember that they are one.
// What a bias is multiplied by, a 1, is hidden.
function withDotsOpen(nodes, results) {
  const made = [];
  const moved = [];
  const add = (node) => made.push(node) - 1;
  nodes.forEach((node, i) => {
    const args = node.args.map((j) => moved[j]);
    const count = args.length / 2;
    const [w, x] = [args[0], args[count]];
    const bias = node.row === "dot" && made[x].row === "" && made[x].data === 1;
    if (bias) made[x] = { ...made[x], hidden: true };
    if (node.row !== "dot" || count < 2 || count > LONGEST) {
      moved[i] = add({ ...node, args });
      return;
    }
    const { owner, source, label } = node;
    const common = { owner, source, dot: i, data: 0 };
    const product = (k) => ({
      ...common,
      row: "multiply",
      label: "",
      args: [args[k], args[k + count]],
    });
    const terms = bias ? [w] : [];
    for (let k = terms.length; k < count; k++) terms.push(add(product(k)));
    moved[i] = add({ ...common, row: "sum", args: terms, sizes: [count], label });
  });
  return { nodes: made, results: results.map((i) => moved[i]) };
}
