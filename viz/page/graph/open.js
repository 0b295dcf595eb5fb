// A page of a graph that Python handed over.

const filledIn = DATA.nodes.map((node) => ({
  args: [],
  label: "",
  ...node,
  data: number(node.data),
}));
for (const node of filledIn) if (node.slopes) node.slopes = node.slopes.map(number);
const opened = withDotsOpen(filledIn, DATA.results);
const explorer = new Explorer(new Graph(opened.nodes, opened.results), DATA);
