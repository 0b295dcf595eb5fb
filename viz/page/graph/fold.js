// Groups of nodes that fold into one box: dots, neurons, layers; and those of crowd.js.
//
// Every node has a path of groups, the outermost first; it is drawn in the box of the
// first that is folded, else in one of its own. A group is {name, kind, size}.

const READABLE = 100; // boxes; of these few, dots show their products
const FEW = 40;
const LONG = 8; // terms of a dot, parameters or inputs that are shown one by one

class Folding {
  constructor(graph) {
    this.graph = graph;
    this.groups = [];
    this.paths = graph.nodes.map(() => []);
    this.folded = new Set();
    this.modules();
    this.dots();
    this.crowd?.();
    this.unfoldAsFarAsReadable();
  }

  // One more group; in the paths of its nodes it comes last, or at a place given.
  group(name, kind, nodes, place = Infinity) {
    const id = this.groups.push({ name, kind, size: nodes.length }) - 1;
    for (const i of nodes) this.paths[i].splice(place, 0, id);
    return id;
  }

  // Layers, and the neurons in them, by the names that Python found; long rows of
  // parameters are folded inside.
  modules() {
    const { nodes } = this.graph;
    for (const [depth, kind] of [
      [0, "layer"],
      [1, "neuron"],
    ]) {
      const found = grouped(nodes.keys(), (i) => (nodes[i].owner || [])[depth]);
      for (const [name, members] of found) this.group(name, kind, members);
      if (depth) {
        for (const [name, members] of found) {
          const leaves = members.filter((i) => this.graph.isLeaf(i));
          if (leaves.length > LONG) this.group(`${name} parameters`, "leaves", leaves);
        }
      }
    }
  }

  // The products of a dot and their sum.
  dots() {
    const { nodes } = this.graph;
    const found = grouped(nodes.keys(), (i) => nodes[i].dot);
    for (const members of found.values()) {
      const sum = members[members.length - 1];
      this.group(nodes[sum].label, "dot", members);
    }
  }

  unfoldAsFarAsReadable() {
    const fold = (most, ...kinds) => {
      if (this.count() <= most) return;
      this.groups.forEach(
        ({ kind }, id) => kinds.includes(kind) && this.folded.add(id),
      );
    };
    fold(0, "leaves");
    this.groups.forEach(({ kind, size }, id) => {
      if (kind === "dot" && size > LONG + 1) this.folded.add(id);
    });
    fold(FEW, "dot");
    fold(FEW, "repeat");
    fold(READABLE, "neuron");
    fold(READABLE, "layer");
    if (this.count() > READABLE) this.bands?.();
  }

  boxOf(i) {
    const group = this.paths[i].find((id) => this.folded.has(id));
    return group === undefined ? `n${i}` : `g${group}`;
  }

  count() {
    const shown = [...this.paths.keys()].filter((i) => !this.graph.nodes[i].hidden);
    return new Set(shown.map((i) => this.boxOf(i))).size;
  }

  // The innermost group around a node that is open: what folding it would close.
  around(i) {
    const open = this.paths[i].filter((id) => !this.folded.has(id));
    return open.length ? open[open.length - 1] : null;
  }

  // Open a group; what is inside and too much at once stays folded.
  unfold(id) {
    this.folded.delete(id);
    const inside = [...this.paths.keys()].filter((i) => this.paths[i].includes(id));
    const boxes = () => new Set(inside.map((i) => this.boxOf(i))).size;
    const depth = this.paths[inside[0]].indexOf(id) + 1;
    if (boxes() <= READABLE) return;
    for (const i of inside)
      for (const g of this.paths[i].slice(depth)) this.folded.add(g);
    if (boxes() > READABLE) this.split?.(inside, depth);
  }

  all(fold) {
    this.folded = new Set(fold ? this.groups.keys() : []);
  }

  // Boxes and the edges between them, ready for layout.
  view() {
    const { nodes, users, results } = this.graph;
    const index = new Map();
    const boxes = [];
    nodes.forEach((node, i) => {
      if (node.hidden) return;
      const key = this.boxOf(i);
      if (!index.has(key)) {
        index.set(key, boxes.length);
        const group = key[0] === "g" ? this.groups[Number(key.slice(1))] : null;
        boxes.push({ key, group, node: group ? null : i, members: [], outs: [] });
      }
      const box = boxes[index.get(key)];
      box.members.push(i);
      const leaves = users[i].some(([k]) => this.boxOf(k) !== key);
      if (leaves || results.includes(i)) box.outs.push(i);
    });
    const edges = [];
    const joined = new Map();
    const arrived = [];
    nodes.forEach(({ args }, i) => {
      const head = index.get(this.boxOf(i));
      args.forEach((j, k) => {
        const tail = index.get(this.boxOf(j));
        if (tail === head || nodes[j].hidden) return;
        if (boxes[head].group?.kind === "repeat") return; // as in the part that is drawn
        const single = !boxes[head].group && !boxes[tail].group;
        const name = single ? `${tail} ${head} ${k}` : `${tail} ${head}`;
        if (joined.has(name)) {
          joined.get(name).parts.push([i, k]);
          return;
        }
        const port = boxes[head].group
          ? (arrived[head] = (arrived[head] ?? -1) + 1)
          : k;
        const edge = { tail, head, port, parts: [[i, k]] };
        joined.set(name, edge);
        edges.push(edge);
      });
    });
    for (const box of boxes) box.leaf = box.members.every((k) => !nodes[k].row);
    return { boxes, edges };
  }
}

function grouped(things, keyOf) {
  const found = new Map();
  for (const thing of things) {
    const key = keyOf(thing);
    if (key === undefined) continue;
    if (!found.has(key)) found.set(key, []);
    found.get(key).push(thing);
  }
  return found;
}
