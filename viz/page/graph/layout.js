// Where boxes stand: in columns from left to right, every operand left of its users.
//
// 1. A box's column is one right of its last operand's; leaves stand just left of their
//    first user. Where folding made circles, what closes one is left out.
// 2. An arrow over several columns passes through a point in each; the arrows of one box
//    share their points, so that they run together.
// 3. Columns are ordered from right to left: a box by the mean place of its users, and by
//    its place among their operands. So operands, neurons and inputs keep their order.
// 4. Heights: each box wants to be beside its neighbours, in its order and at a distance.
//    Within a column that is a regression with an order, solved exactly by pooling
//    (Best & Chakravarti 1990).
//
// Source: Sugiyama, Tagawa & Toda 1981 for columns and points on long arrows.

const GAP = { column: 52, box: 14, line: 8 };

// boxes: [{width, height, leaf}]; edges: [{tail, head, port}], port = place among operands.
// Gives x and y to the boxes (their left and middle), and points to the edges.
function layout(boxes, edges) {
  const into = boxes.map(() => []);
  for (const edge of edges) into[edge.head].push(edge);
  const forward = withoutCircles(boxes, into);
  const columns = columnsOf(boxes, into, forward);
  const { items, levels } = itemsOf(boxes, forward, columns);
  order(levels);
  heights(levels);
  let x = 0;
  for (const level of levels) {
    const width = Math.max(0, ...level.map((item) => item.width));
    for (const item of level) item.x = x + (width - item.width) * (item.leaf ? 1 : 0.5);
    x += width + GAP.column;
  }
  boxes.forEach((box, i) => {
    box.x = items[i].x;
    box.y = items[i].y;
    box.column = columns[i];
  });
  for (const edge of edges) edge.points = (edge.way || []).map(({ x, y }) => [x, y]);
}

// The edges that do not close a circle; depth first, without recursion.
function withoutCircles(boxes, into) {
  const state = boxes.map(() => 0);
  const kept = [];
  for (let root = boxes.length - 1; root >= 0; root--) {
    const stack = state[root] ? [] : [[root, 0]];
    if (stack.length) state[root] = 1;
    while (stack.length) {
      const top = stack[stack.length - 1];
      const edge = into[top[0]][top[1]++];
      if (!edge) {
        state[stack.pop()[0]] = 2;
      } else if (state[edge.tail] !== 1) {
        kept.push(edge);
        if (!state[edge.tail]) {
          state[edge.tail] = 1;
          stack.push([edge.tail, 0]);
        }
      }
    }
  }
  return kept;
}

function columnsOf(boxes, into, forward) {
  const kept = new Set(forward);
  const columns = boxes.map(() => 0);
  const out = boxes.map(() => []);
  const missing = boxes.map(() => 0);
  for (const edge of forward) {
    out[edge.tail].push(edge);
    missing[edge.head]++;
  }
  const free = [...boxes.keys()].filter((i) => !missing[i]);
  for (const i of free) {
    for (const { head } of out[i]) {
      columns[head] = Math.max(columns[head], columns[i] + 1);
      if (--missing[head] === 0) free.push(head);
    }
  }
  boxes.forEach((box, i) => {
    const users = out[i].map(({ head }) => columns[head]);
    const sources = into[i].filter((edge) => kept.has(edge)).length;
    if (users.length && !sources) columns[i] = Math.min(...users) - 1;
  });
  return columns;
}

// Boxes, and points on long arrows, column by column, each with its users and operands.
function itemsOf(boxes, forward, columns) {
  const make = (width, height, gap, leaf) => ({
    ...{ width, height, gap, leaf, heads: [], tails: [], key: 0, y: 0 },
  });
  const items = boxes.map((b) => make(b.width, b.height, GAP.box, b.leaf));
  const levels = Array.from({ length: Math.max(0, ...columns) + 1 }, () => []);
  items.forEach((item, i) => levels[columns[i]].push(item));
  const bends = boxes.map(() => []);
  for (const edge of forward) {
    const { tail, head, port } = edge;
    let last = items[tail];
    edge.way = [];
    for (let c = columns[tail] + 1; c < columns[head]; c++) {
      let bend = bends[tail][c];
      if (!bend) {
        bend = bends[tail][c] = make(0, 0, GAP.line, false);
        levels[c].push(bend);
        join(last, bend, 0);
      }
      edge.way.push((last = bend));
    }
    join(last, items[head], port);
  }
  return { items, levels };
}

function join(tail, head, port) {
  tail.heads.push([head, port]);
  head.tails.push(tail);
}

function order(levels) {
  for (const level of levels.slice().reverse()) {
    for (const item of level) {
      if (!item.heads.length) continue;
      let sum = 0;
      for (const [head, port] of item.heads) sum += head.place + (port + 1) / 1e4;
      item.key = sum / item.heads.length;
    }
    level.sort((a, b) => a.key - b.key);
    level.forEach((item, k) => (item.place = k));
  }
}

function heights(levels) {
  for (const level of levels) settle(level, () => null);
  const toHeads = (item) => mean(item.heads.map(([head]) => head.y));
  const toTails = (item) => mean(item.tails.map((tail) => tail.y));
  for (let round = 0; round < 4; round++) {
    for (const level of levels) settle(level, toTails);
    for (const level of levels.slice().reverse()) settle(level, toHeads);
  }
}

function mean(numbers) {
  if (!numbers.length) return null;
  let sum = 0;
  for (const x of numbers) sum += x;
  return sum / numbers.length;
}

// The heights nearest to those wanted that keep order and distance: wanted heights, less
// the room that the boxes above take, must not decrease; neighbours that do are pooled.
function settle(level, wish) {
  let room = 0;
  const pools = [];
  level.forEach((item, k) => {
    if (k) {
      const above = level[k - 1];
      room += (above.height + item.height) / 2 + Math.max(above.gap, item.gap);
    }
    item.room = room;
    const wanted = (wish(item) ?? item.y) - room;
    pools.push({ sum: wanted, count: 1 });
    while (pools.length > 1) {
      const [a, b] = pools.slice(-2);
      if (a.sum / a.count <= b.sum / b.count) break;
      pools.splice(-2, 2, { sum: a.sum + b.sum, count: a.count + b.count });
    }
  });
  let k = 0;
  for (const { sum, count } of pools) {
    for (let n = 0; n < count; n++, k++) level[k].y = sum / count + level[k].room;
  }
}
