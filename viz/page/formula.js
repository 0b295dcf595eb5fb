// Formulas given as text: Python's grammar as far as formulas go. grammar.py has the
// operators, functions and constants, and puts all into a scope of its own; the rows
// are those of operations.py.
//
//   const program = FORMULAS.parse("tanh(w*x + b)");
//   FORMULAS.names(program);           // ["w", "x", "b"]
//   FORMULAS.build(program, builder);  // what the builder made of the root
//
// A program is an array of steps, operands first: {kind, count, column}, where the kind
// is "number" (with its value), "list", "plus" (a sign), "name", "row" (an operator) or
// "call" (these with a name). A builder has leaf(name), asked once for each name,
// constant(x) and apply(row, groups): a row of fixed arity has one group. It sees no
// operation of constants alone: these are evaluated here.

class FormulaError extends Error {
  constructor(message, column) {
    super(message);
    this.column = column; // in the text as it was given
  }
}

const LONGEST = 10000; // characters
const MOST_BRACKETS = 200; // inside each other
const MOST_POWERS = 1000;
const STRANGERS = ["True", "False", "None", "not", "~", "lambda", "await", "...", "{"];
const EMPTY = 'the formula is empty: give one, such as "w*x + b"';
const FOREIGN =
  "this is not part of a formula: use numbers, names, operators, functions, and " +
  "lists in brackets";
const COMPARED =
  "only two numbers are compared, with < <= > >= == !=: write " +
  "where(a < x, where(x < b, 1, 0), 0) for a < x < b";
const NAMED = "operands have no names: write f(x), not f(x=...)";
const TOO_DEEP =
  "the formula is nested too deeply to be read: shorten it, or write a long sum " +
  "a + b + ... as sum(a, b, ...)";

// How tightly an infix sign binds; a formula has those in OPERATORS.
const RANKS = {
  ":=": 0,
  if: 1,
  or: 2,
  and: 3,
  "|": 6,
  "^": 7,
  "&": 8,
  "<<": 9,
  ">>": 9,
  "<": 5,
  "<=": 5,
  ">": 5,
  ">=": 5,
  "==": 5,
  "!=": 5,
  is: 5,
  in: 5,
  not: 5,
  "+": 10,
  "-": 10,
  "*": 11,
  "/": 11,
  "//": 11,
  "%": 11,
  "@": 11,
  "**": 13,
  ".": 14,
  "[": 14,
  "(": 14,
};
const COMPARISON = RANKS["<"];
const UNARY = 12;

// -- Tokens

const DIGITS = "[0-9](?:_?[0-9])*";
const EXPONENT = `(?:[eE][+-]?${DIGITS})?`;
const TOKEN = new RegExp(
  [
    "(?<blank>(?:[ \\t\\f]|\\\\(?:\\r\\n|[\\r\\n])|#[^\\r\\n]*)+)",
    "(?<line>[\\r\\n])",
    "(?<based>0(?:[xX](?:_?[0-9a-fA-F])+|[bB](?:_?[01])+|[oO](?:_?[0-7])+))",
    `(?<decimal>(?:${DIGITS}(?:\\.(?:${DIGITS})?)?|\\.${DIGITS})${EXPONENT}[jJ]?)`,
    "(?<text>[bfruBFRU]{0,2}(?:'(?:[^'\\\\\\n]|\\\\.)*'|\"(?:[^\"\\\\\\n]|\\\\.)*\"))",
    "(?<name>[\\p{XIDS}_]\\p{XIDC}*)",
    "(?<sign>\\*\\*|//|<<|>>|[<>=!:]=|\\.\\.\\.|[-+*/%@&|^~<>=.,:()[\\]{}])",
  ].join("|"),
  "uy",
);
// What Python's str.strip takes away.
const BLANK_ENDS = /^[\x1c-\x1f\p{White_Space}]+|[\x1c-\x1f\p{White_Space}]+$/gu;
const CLOSING = { "(": ")", "[": "]", "{": "}" };

// {kind, text, column}: kinds are "number", "text", "name", "sign" and, last, "end".
function tokens(text) {
  const stripped = text.replace(BLANK_ENDS, "");
  const start = text.indexOf(stripped);
  const read = text.slice(0, start + stripped.length);
  const found = [];
  const open = []; // brackets
  let before = ""; // blanks on the line
  let ended = false; // the line, outside brackets
  TOKEN.lastIndex = start;
  while (TOKEN.lastIndex < read.length) {
    const column = TOKEN.lastIndex;
    const groups = TOKEN.exec(read)?.groups;
    if (groups === undefined) throw unknownCharacter(read, column);
    if (groups.blank !== undefined) {
      before = groups.blank;
    } else if (groups.line !== undefined) {
      before = "";
      ended ||= open.length === 0 && found.length > 0;
    } else {
      const indented = found.length === 0 && /[ \t]/.test(before);
      if (indented) throw new FormulaError("unexpected indent", column);
      if (ended) throw new FormulaError("invalid syntax", column);
      const token = tokenOf(groups, read.slice(TOKEN.lastIndex), column);
      if (token.kind === "sign") follow(open, token);
      found.push(token);
    }
  }
  if (open.length > 0) {
    const { text: bracket, column } = open.pop();
    throw new FormulaError(`'${bracket}' was never closed`, column);
  }
  return [...found, { kind: "end", text: "", column: read.length }];
}

function tokenOf({ based, decimal, text, name, sign }, rest, column) {
  const number = based ?? decimal;
  if (number !== undefined) {
    checkNumber(number, rest, column);
    return { kind: "number", text: number, column };
  }
  if (text !== undefined) return { kind: "text", text, column };
  if (sign !== undefined) return { kind: "sign", text: sign, column };
  const kind = KEYWORDS.includes(name) ? "sign" : "name";
  return { kind, text: name.normalize("NFKC"), column };
}

// Brackets that are open, after one more sign.
function follow(open, sign) {
  const { text, column } = sign;
  if (Object.hasOwn(CLOSING, text)) {
    open.push(sign);
    if (open.length <= MOST_BRACKETS) return;
    throw new FormulaError("too many nested parentheses", column);
  }
  if (!Object.values(CLOSING).includes(text)) return;
  const opened = open.pop();
  if (opened === undefined) throw new FormulaError(`unmatched '${text}'`, column);
  if (CLOSING[opened.text] === text) return;
  const what = `closing parenthesis '${text}' does not match opening parenthesis`;
  throw new FormulaError(`${what} '${opened.text}'`, column);
}

function unknownCharacter(text, column) {
  const code = text.codePointAt(column);
  const character = String.fromCodePoint(code);
  if (/['"]/.test(character)) {
    return new FormulaError("unterminated string literal", column);
  }
  const name = code.toString(16).toUpperCase().padStart(4, "0");
  return new FormulaError(`invalid character '${character}' (U+${name})`, column);
}

function checkNumber(token, rest, column) {
  if (/^[\p{XIDC}]/u.test(rest)) {
    const bases = { x: "hexadecimal", b: "binary", o: "octal" };
    const letter = /^0([xbo])/i.exec(token + rest)?.[1].toLowerCase();
    throw new FormulaError(`invalid ${bases[letter] ?? "decimal"} literal`, column);
  }
  if (/^0[0-9_]*[1-9][0-9_]*$/.test(token)) {
    const what = "leading zeros in decimal integer literals are not permitted; use an";
    throw new FormulaError(`${what} 0o prefix for octal integers`, column);
  }
}

// The number that a literal stands for; integers must not be beyond the floats.
function literal({ text, column }) {
  if (/[jJ]$/.test(text)) throw new FormulaError(FOREIGN, column);
  const digits = text.replaceAll("_", "");
  const whole = /^(?:\d+|0[xbo].*)$/i.test(digits);
  const value = /^0[xbo]/i.test(digits) ? Number(BigInt(digits)) : Number(digits);
  if (whole && value === Infinity) {
    throw new FormulaError("int too large to convert to float", column);
  }
  return value;
}

// -- Parser

// The program of a text; throws a FormulaError with message and column.
function parse(text) {
  const length = [...text].length;
  if (length > LONGEST) {
    const most = `at most ${LONGEST} are read`;
    const remedy = "write a part of it as a number of its own";
    throw new FormulaError(`a formula of ${length} characters; ${most}: ${remedy}`, 0);
  }
  if (text.replace(BLANK_ENDS, "") === "") throw new FormulaError(EMPTY, 0);
  return new Parser(tokens(text)).program();
}

// The names in a program, in order of their first use.
function names(program) {
  const found = program.filter((step) => step.kind === "name").map((step) => step.name);
  return [...new Set(found)].filter((name) => !Object.hasOwn(CONSTANTS, name));
}

// Precedence climbing (Pratt 1973). The steps of what has been read are in the program;
// methods that read an operand return the column where it starts.
class Parser {
  constructor(tokens) {
    this.tokens = tokens;
    this.position = 0;
    this.depth = 0;
    this.steps = [];
  }

  program() {
    const start = this.expression(0);
    if (this.next.text === ",") throw new FormulaError(FOREIGN, start);
    if (this.next.kind !== "end") throw this.wrong();
    return this.steps;
  }

  get next() {
    return this.tokens[this.position];
  }

  take() {
    this.position += 1;
    return this.tokens[this.position - 1];
  }

  // Whether the next token is this sign; if so, it is taken.
  takes(sign) {
    const found = this.next.kind === "sign" && this.next.text === sign;
    this.position += found;
    return found;
  }

  wrong() {
    return new FormulaError("invalid syntax", this.next.column);
  }

  // An operand, and all infix signs behind it that bind at least so tightly.
  expression(least) {
    this.depth += 1;
    if (this.depth > MOST_POWERS) throw new FormulaError(TOO_DEEP, this.next.column);
    const start = this.next.column;
    const signs = [];
    while (/^[-+]$/.test(this.next.text)) signs.push(this.take());
    if (signs.length > 0) {
      this.expression(UNARY);
      for (const { text, column } of signs.reverse()) {
        const kind = text === "-" ? "row" : "plus";
        this.steps.push({ kind, name: "negative", count: 1, column });
      }
    } else {
      this.primary();
    }
    while (this.next.kind === "sign" && RANKS[this.next.text] >= least) {
      this.infix(start);
    }
    this.depth -= 1;
    return start;
  }

  // A sign and the operand on its right; what is on the left began at the start.
  infix(start) {
    const sign = this.take().text;
    const rank = RANKS[sign];
    if (sign === "(") return this.call(start);
    if (!Object.hasOwn(OPERATORS, sign)) {
      throw new FormulaError(rank === COMPARISON ? COMPARED : FOREIGN, start);
    }
    this.expression(sign === "**" ? UNARY : rank + 1);
    if (rank === COMPARISON && RANKS[this.next.text] === COMPARISON) {
      throw new FormulaError(COMPARED, start);
    }
    this.steps.push({ kind: "row", name: OPERATORS[sign], count: 2, column: start });
  }

  // What stands alone: a number, a name, a list, or anything in parentheses.
  primary() {
    const token = this.take();
    const { kind, text, column } = token;
    if (kind === "number") {
      this.steps.push({ kind, value: literal(token), count: 0, column });
    } else if (kind === "name") {
      this.steps.push({ kind, name: text, count: 0, column });
    } else if (text === "[") {
      this.steps.push({ kind: "list", count: this.operands("]", column), column });
    } else if (text === "(") {
      if (this.takes(")")) throw new FormulaError(FOREIGN, column);
      this.expression(0);
      if (!this.takes(")")) throw this.unclosed(column, [",", "for", "async"]);
    } else if (kind === "text" || STRANGERS.includes(text)) {
      throw new FormulaError(FOREIGN, column);
    } else {
      this.position -= 1;
      throw this.wrong();
    }
  }

  // Operands up to the closing bracket that are not given by name, and their number.
  operands(closing, start, called) {
    let count = 0;
    while (!this.takes(closing)) {
      if (this.next.text === "*") throw new FormulaError(FOREIGN, this.next.column);
      const isNamed = this.tokens[this.position + 1]?.text === "=";
      if (called !== undefined && (isNamed || this.next.text === "**")) {
        throw new FormulaError(NAMED, called);
      }
      this.expression(0);
      count += 1;
      if (this.takes(closing)) break;
      if (!this.takes(",")) throw this.unclosed(start, ["for", "async"]);
    }
    return count;
  }

  // The error where a bracket should have closed: Python has tuples and generators.
  unclosed(start, foreign) {
    const known = foreign.includes(this.next.text);
    return known ? new FormulaError(FOREIGN, start) : this.wrong();
  }

  // The operands of a function: a name is the last step, or else it has none.
  call(start) {
    const { kind, name } = this.steps.pop();
    if (kind !== "name" || !Object.hasOwn(FUNCTIONS, name)) {
      const known = Object.keys(FUNCTIONS).sort().join(", ");
      const found = kind === "name" ? `unknown function ${name}` : "unknown function";
      throw new FormulaError(`${found}; known are ${known}`, start);
    }
    const bracket = this.tokens[this.position - 1];
    const count = this.operands(")", bracket.column, start);
    this.steps.push({ kind: "call", name, count, column: start });
  }
}

// -- Evaluation

// What a builder makes of a program: see above.
function build(program, builder) {
  const known = new Map(Object.entries(CONSTANTS));
  for (const name of names(program)) known.set(name, { node: builder.leaf(name) });
  const stack = [];
  for (const step of program) {
    const operands = stack.splice(stack.length - step.count);
    try {
      stack.push(operand(step, operands, known, builder));
    } catch (error) {
      if (!(error instanceof Mistake)) throw error;
      throw new FormulaError(error.message, step.column);
    }
  }
  const [root] = stack;
  if (Array.isArray(root)) throw new FormulaError("a list is no number", 0);
  return lifted(root, builder);
}

class Mistake extends Error {}

// Operands are numbers, {node: what the builder made}, and arrays of these.
function operand(step, operands, known, builder) {
  const op = (name, ...groups) => applied(builder, ROWS[name], groups);
  switch (step.kind) {
    case "number":
      return step.value;
    case "name":
      return known.get(step.name);
    case "list":
      return operands;
    case "plus":
      checkNumbers(operands);
      return operands[0];
    case "row":
      return op(step.name, ...operands);
    default:
      return called(step.name, operands, op);
  }
}

// A row of its operands; of constants alone, its value.
function applied(builder, row, operands) {
  const groups = row.arity === null ? operands : [operands];
  groups.forEach(checkNumbers);
  if (groups.flat().every((x) => typeof x === "number")) return row.value(...operands);
  const nodes = groups.map((group) => group.map((x) => lifted(x, builder)));
  return { node: builder.apply(row.name, nodes) };
}

const lifted = (x, builder) => (typeof x === "number" ? builder.constant(x) : x.node);

function checkNumbers(operands) {
  if (operands.some(Array.isArray)) {
    throw new Mistake("expected a real number, got a list");
  }
}

function miscounted(name, wanted, count) {
  const found = `${name} takes ${wanted} operand(s), got ${count}`;
  return new Mistake(`${found}: give ${wanted}`);
}

function called(name, operands, op) {
  const found = FUNCTIONS[name];
  if (typeof found === "string") return SEQUENCES[found](op, operands);
  const [least, most, make] = found;
  const count = operands.length;
  if (count < least || count > most) {
    const wanted = least === most ? least : `${least} to ${most}`;
    throw miscounted(name, wanted, count);
  }
  checkNumbers(operands);
  return make(op, ...operands);
}

// Functions of any number of operands, given one by one or in a list.
const SEQUENCES = {
  sum: (op, operands) => op("sum", listed(operands)),
  prod: (op, operands) => op("prod", listed(operands)),
  logsumexp: (op, operands) => op("logsumexp", listed(operands)),
  maximum: (op, operands) => op("maximum", some(operands, "maximum")),
  minimum: (op, operands) => op("minimum", some(operands, "minimum")),
  mean(op, operands) {
    const xs = some(operands, "mean");
    return op("divide", op("sum", xs), xs.length);
  },
  dot(op, operands) {
    const [ws, xs, bias = 0] = operands;
    if (operands.length < 2 || operands.length > 3) {
      throw miscounted("dot", "2 to 3", operands.length);
    }
    if (!Array.isArray(ws) || !Array.isArray(xs)) {
      throw new Mistake("dot takes lists of numbers: dot([w1, w2], [x1, x2], b)");
    }
    if (ws.length !== xs.length) {
      const found = `dot of ${ws.length} weights with ${xs.length} inputs`;
      throw new Mistake(`${found}: give one weight for each input`);
    }
    return bias === 0 ? op("dot", ws, xs) : op("dot", [bias, ...ws], [1, ...xs]);
  },
};

function listed(operands) {
  return operands.length === 1 && Array.isArray(operands[0]) ? operands[0] : operands;
}

function some(operands, name) {
  const xs = listed(operands);
  if (xs.length > 0) return xs;
  const said = `the ${name} of an empty sequence is not defined`;
  throw new Mistake(`${said}: give at least one number`);
}
