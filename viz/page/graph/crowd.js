// Groups for graphs of many nodes: long rows of inputs, repeated parts, bands of depth.

Object.assign(Folding.prototype, {
  crowd() {
    this.inputs();
    this.repeats();
  },

  // Long rows of leaves and plain numbers that have the same users.
  inputs() {
    const { nodes, users } = this.graph;
    const signature = (i) => users[i].map(([k]) => nodes[k].dot ?? k).join();
    const free = [...nodes.keys()].filter((i) => !nodes[i].row && !nodes[i].owner);
    for (const members of grouped(free, signature).values()) {
      if (members.length <= LONG) continue;
      const labels = members.map((i) => nodes[i].label);
      labels.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
      const title = labels[0]
        ? `${labels[0]} … ${labels[labels.length - 1]}`
        : `${members.length} inputs`;
      this.group(title, "leaves", members);
    }
  },

  // Addends that are alike: the first is drawn, the others become one box.
  repeats() {
    const { graph } = this;
    const kinds = alike(graph);
    const seen = new Set();
    for (const i of graph.interior.slice().reverse()) {
      if (seen.has(i)) continue;
      const { terms, sums } = addends(graph, i, seen);
      const byKind = grouped(terms, (j) => (graph.nodes[j].row ? kinds[j] : undefined));
      for (const parts of byKind.values()) {
        if (parts.length < 3) continue;
        const owned = parts.slice(1).map((j) => exclusive(graph, j));
        if (owned[0].length < 2) continue;
        const all = parts.length === terms.length ? sums : [];
        const inside = [...new Set([...owned.flat(), ...all])];
        this.group(`${parts.length - 1} more like it`, "repeat", inside, 0);
      }
    }
  },

  // What no group holds, in bands by depth; in large bands, smaller ones.
  bands() {
    const { nodes } = this.graph;
    const depth = nodes.map(() => 0);
    nodes.forEach(({ args }, i) => {
      for (const j of args) depth[i] = Math.max(depth[i], depth[j] + 1);
    });
    for (let i = nodes.length - 1; i >= 0; i--) {
      if (nodes[i].args.length) continue;
      const users = this.graph.users[i].map(([k]) => depth[k]);
      depth[i] = Math.max(0, Math.min(...users) - 1);
    }
    const free = [...nodes.keys()].filter(
      (i) => !this.paths[i].some((g) => this.folded.has(g)),
    );
    free.sort((i, j) => depth[i] - depth[j] || i - j);
    this.split(
      free.filter((i) => !this.graph.results.includes(i)),
      0,
    );
  },

  // Nodes in their order as folded parts, and those in parts again, at this depth of
  // their paths.
  split(nodes, depth, name = "part ") {
    const size = Math.max(12, Math.ceil(nodes.length / 10));
    for (let k = 0; k * size < nodes.length; k++) {
      const part = nodes.slice(k * size, (k + 1) * size);
      this.folded.add(this.group(`${name}${k + 1}`, "band", part, depth));
      if (part.length > 60) this.split(part, depth + 1, `${name}${k + 1}.`);
    }
  },
});

// A number for each node, equal where the same operations are done on like operands.
function alike(graph) {
  const numbers = new Map();
  const kinds = [];
  graph.nodes.forEach((node, i) => {
    const below = node.args.map((j) => kinds[j]).join(",");
    const label = node.row ? "" : node.label.replace(/\d+$/, "");
    const text = `${node.row}|${label}|${node.sizes}|${below}`;
    if (!numbers.has(text)) numbers.set(text, numbers.size);
    kinds[i] = numbers.get(text);
  });
  return kinds;
}

// The terms of a sum, through additions that are used once, and those additions.
function addends(graph, root, seen) {
  const isSum = (i) => {
    const { row, dot } = graph.nodes[i];
    return row === "add" || (row === "sum" && dot === undefined);
  };
  const terms = new Set();
  const sums = [];
  const stack = isSum(root) ? [root] : [];
  while (stack.length) {
    const i = stack.pop();
    seen.add(i);
    if (isSum(i) && (i === root || graph.users[i].length === 1)) {
      stack.push(...graph.nodes[i].args.slice().reverse());
      if (i !== root) sums.push(i);
    } else terms.add(i);
  }
  return { terms: [...terms], sums };
}

// A node, and all below it that nothing else uses.
function exclusive(graph, root) {
  const inside = new Set([root]);
  const stack = [root];
  while (stack.length) {
    for (const j of graph.nodes[stack.pop()].args) {
      if (inside.has(j) || !graph.users[j].every(([k]) => inside.has(k))) continue;
      inside.add(j);
      stack.push(j);
    }
  }
  return [...inside];
}
