// How JavaScript evaluates the rows: a function for each, by the row's name. What Math
// has, and IEEE 754 agrees with, is taken from it. operations.py picks what is wanted.

// -- Arithmetic

const add = (x, y) => x + y;
const subtract = (x, y) => x - y;
const multiply = (x, y) => x * y;
const divide = (x, y) => x / y;
const negative = (x) => -x;
const absolute = Math.abs;

// The product, but 0 where an exact 0 of x meets infinity or NaN.
const guarded_multiply = (x, y) => (x === 0 && !Number.isFinite(y) ? 0 : x * y);

// The product, but 0 where an exact 0 on either side meets infinity or NaN.
function selected_multiply(x, y) {
  return y === 0 && !Number.isFinite(x) ? 0 : guarded_multiply(x, y);
}

// x // y as in Python: the integer that (x - x % y) / y is close to.
function floor_divide(x, y) {
  if (y === 0) return NaN;
  const rest = x % y;
  const quotient = (x - rest) / y - (rest !== 0 && rest < 0 !== y < 0);
  if (quotient === 0) return x / y < 0 || Object.is(x / y, -0) ? -0 : 0;
  const whole = Math.floor(quotient);
  return quotient - whole > 0.5 ? whole + 1 : whole;
}

// x % y as in Python: with the sign of the divisor.
function remainder(x, y) {
  const rest = x % y;
  if (rest === 0) return y < 0 ? -0 : 0;
  return rest < 0 !== y < 0 ? rest + y : rest;
}

// x ** y as in C: 1 to any power is 1, and so is -1 to an infinite one.
function power(x, y) {
  if (x === 1 || (x === -1 && Math.abs(y) === Infinity)) return 1;
  return Math.pow(x, y);
}

// Adding 0 turns the -0 of Math into Python's 0.
const sign = (x) => Math.sign(x) + 0;
const floor = (x) => Math.floor(x) + 0;
const ceil = (x) => Math.ceil(x) + 0;
const trunc = (x) => Math.trunc(x) + 0;

// -- Comparisons and choice

const less = (x, y) => Number(x < y);
const less_equal = (x, y) => Number(x <= y);
const greater = (x, y) => Number(x > y);
const greater_equal = (x, y) => Number(x >= y);
const equal = (x, y) => Number(x === y);
const not_equal = (x, y) => Number(x !== y);
const where = (condition, x, y) => (condition !== 0 ? x : y);
const nonnegative = (x) => (x >= 0 ? x + 0 : NaN);
const relu = (x) => (x > 0 || Number.isNaN(x) ? x : 0);
const step = (x) => (Number.isNaN(x) ? x : Number(x > 0));

// -- Exponentials, logarithms and trigonometry

const exp = Math.exp;
const exp2 = (x) => Math.pow(2, x);
const expm1 = Math.expm1;
const log = Math.log;
const log2 = Math.log2;
const log10 = Math.log10;
const log1p = Math.log1p;
const sqrt = Math.sqrt;
const cbrt = Math.cbrt;
const sin = Math.sin;
const cos = Math.cos;
const tan = Math.tan;
const arcsin = Math.asin;
const arccos = Math.acos;
const arctan = Math.atan;
const arctan2 = Math.atan2;
const one_minus_square = (x) => (1 - x) * (1 + x);

function hypot(x, y) {
  const [length, rest] = lengthAndRest(x, y);
  return length + rest;
}

// x / hypot(x, y), and 0 at the origin.
function direction_cosine(x, y) {
  const [length, rest] = lengthAndRest(x, y);
  const cosine = length === 0 ? 0 : x / length;
  if (rest === 0) return cosine;
  const excess = cosine * length - x + productError(cosine, length);
  return cosine - (excess + cosine * rest) / length;
}

// The library's hypot, and what it falls short of the root of x^2 + y^2.
function lengthAndRest(x, y) {
  const length = Math.hypot(x, y);
  if (!(length > 1e-140 && length < 1e140)) return [length, 0];
  const large = Math.max(Math.abs(x), Math.abs(y));
  const small = Math.min(Math.abs(x), Math.abs(y));
  const errors = productError(large, large) + productError(small, small);
  const rest = large * large - length * length + small * small;
  return [length, (rest + (errors - productError(length, length))) / (2 * length)];
}

// x * y minus its rounded value, exactly (Dekker 1971), short of overflow.
function productError(x, y) {
  const xHigh = upperHalf(x);
  const yHigh = upperHalf(y);
  const xLow = x - xHigh;
  const yLow = y - yHigh;
  return xHigh * yHigh - x * y + xHigh * yLow + xLow * yHigh + xLow * yLow;
}

function upperHalf(x) {
  const head = x * 134217729;
  return head - (head - x);
}

// x + y and its rounding error (Knuth).
function twoSum(x, y) {
  const total = x + y;
  const back = total - x;
  return [total, x - (total - back) + (y - back)];
}

// c0 + c1 x + c2 x^2 + ...
const polynomial = (x, cs) => cs.reduceRight((value, c) => value * x + c, 0);

// -- Hyperbolic functions and activations

const sinh = Math.sinh;
const cosh = Math.cosh;
const tanh = Math.tanh;
const arcsinh = Math.asinh;
const arccosh = Math.acosh;
const arctanh = Math.atanh;

// 1 / cosh(x)^2: near zero 1 - tanh^2 is accurate, elsewhere an exponential.
function sech2(x) {
  if (Math.abs(x) < 0.5) return 1 - Math.tanh(x) ** 2;
  const e = Math.exp(-2 * Math.abs(x));
  return (4 * e) / (1 + e * (2 + e));
}

// 1 / (1 + e^-x), written so that neither tail overflows.
function sigmoid(x) {
  const e = Math.exp(-Math.abs(x));
  return (x < 0 ? e : 1) / (1 + e);
}

// log(1 + e^x) without overflow.
function softplus(x) {
  return (x > 0 ? x : 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

// -- Special functions

// e^(-x^2), with the rounding error of the square carried along.
function gaussian(x) {
  if (x * x >= 750) return 0;
  return Math.exp(-x * x) * (1 - productError(x, x));
}

// An odd polynomial up to 1; then 1 - erfc.
function erf(x) {
  const size = Math.abs(x);
  if (size < 1) return x * erfOverX(x);
  return Math.sign(x) * (1 - erfcTail(Math.min(size, 6)));
}

// 1 - erf up to 1/2; beyond, by a formula of its own.
function erfc(x) {
  const size = Math.abs(x);
  if (size < 0.5) return 1 - x * erfOverX(x);
  const tail = erfcTail(Math.min(size, 28));
  return x > 0 ? tail : 2 - tail;
}

function erfOverX(x) {
  return x * x * polynomial(x * x, ERF) + 2 / Math.sqrt(Math.PI);
}

// e^(-x^2) p(u) / (x + 1/2) with u = (x - 7/2) / (x + 7/2), for x from 1/2 on.
function erfcTail(x) {
  return (gaussian(x) * polynomial((x - 3.5) / (x + 3.5), ERFCX)) / (x + 0.5);
}

// log |Gamma(x)|: Taylor's series at 2 between 3/2 and 5/2, where the recurrence leads
// to from elsewhere; from 10 on Stirling's series; reflection below 0.
function lgamma(x) {
  if (Math.abs(x) === Infinity || (x <= 0 && x === Math.floor(x))) return Infinity;
  if (x < 0) {
    const area = x * Math.sin(Math.PI * (x - Math.round(x)));
    const size = Math.abs(area);
    const reflected = size > 1e-300 ? Math.log(Math.PI / size) : -2 * Math.log(-x);
    return reflected - lgamma(-x);
  }
  if (x >= 10) {
    const stirling = BERNOULLI.map((b, k) => b / (2 * k + 2) / (2 * k + 1));
    const series = polynomial(1 / (x * x), stirling) / x;
    return (x - 0.5) * (Math.log(x) - 1) + (series + 0.4189385332046727);
  }
  let product = 1;
  let y = x;
  for (; y > 2.5; y -= 1) product *= y - 1;
  const above = Math.log(product);
  if (y >= 1.5) return above + nearTwo(y - 2);
  if (y >= 0.5) return nearTwo(y - 1) - Math.log(y);
  return nearTwo(y) - Math.log1p(y) - Math.log(y);
}

// lgamma(2 + t) for |t| <= 1/2.
const nearTwo = (t) => t * polynomial(t, LGAMMA);

// (1 - gamma) and (-1)^k (zeta(k) - 1) / k for k = 2, 3, ...
const LGAMMA = [
  0.42278433509846713, 0.3224670334241132, -0.0673523010531981, 0.020580808427784546,
  -0.007385551028673986, 0.0028905103307415234, -0.001192753911703261,
  0.0005096695247430425, -0.00022315475845357939, 9.945751278180853e-5,
  -4.492623673813314e-5, 2.050721277567069e-5, -9.439488275268397e-6,
  4.374866789907488e-6, -2.039215753801366e-6, 9.55141213040742e-7,
  -4.492469198764566e-7, 2.1207184805554665e-7, -1.0043224823968099e-7,
  4.7698101693639804e-8, -2.2711094608943164e-8, 1.0838659214896955e-8,
  -5.183475041970047e-9, 2.4836745438024785e-9, -1.1921401405860912e-9,
  5.731367241678862e-10, -2.7595228851242334e-10,
];

// B2, B4, ...
const BERNOULLI = [
  1 / 6,
  -1 / 30,
  1 / 42,
  -1 / 30,
  5 / 66,
  -691 / 2730,
  7 / 6,
  -3617 / 510,
];

// With w = (-1)^(n+1) n! this is w G(x), where G(x) is the sum of (x + k)^-(n+1) over
// k = 0, 1, ... (short of a constant for n = 0). Left of 1/2 the pole nearest to x is
// taken out; what lies left of the pole is mirrored.
function polygamma(n, x) {
  if (Number.isNaN(x) || !(n >= 0 && n <= 60) || n !== Math.floor(n)) return NaN;
  if (x === Infinity) return n === 0 ? x : 0;
  if (x <= 0 && (x === -Infinity || x === Math.floor(x))) return NaN;
  const odd = n % 2 === 0 ? -1 : 1;
  let weight = odd;
  for (let k = 2; k <= n; k++) weight *= k;
  if (x >= 0.5) return weight * accurateSum(poles(n, x));
  const r = x - Math.floor(x + 0.5);
  const pole = Math.pow(Math.abs(r), -n - 1) * (r < 0 ? odd : 1);
  if (Math.abs(pole) === Infinity) return weight * pole;
  const mirrored = [...poles(n, 1 - r), ...poles(n, 1 - x).map((p) => -p)];
  const parts = [pole, ...poles(n, 1 + r), ...mirrored.map((p) => odd * p)];
  return weight * accurateSum(parts);
}

// Numbers whose sum is G(x), for x from 1/2 on: its first terms, and the asymptotic
// series (DLMF 5.15.9) of the rest.
function poles(n, x) {
  const terms = [];
  let t = x;
  for (; t < 14 + 1.25 * n; t += 1) terms.push(Math.pow(t, -n - 1));
  const z = 1 / (t * t);
  let series = 0;
  for (let k = BERNOULLI.length; k > 0; k--) {
    const first = n === 0 && k === 1 ? 1 : n + 2 * k - 2;
    const q = (first * (n + 2 * k - 1)) / (2 * k * (2 * k - 1));
    series = z * q * (series + BERNOULLI[k - 1]);
  }
  if (n === 0) return [...terms, -Math.log(t), 0.5 / t, series];
  const head = Math.pow(t, -n) / n;
  return [...terms, head, head * ((0.5 * n) / t + series)];
}

// The sum, rounded once (Shewchuk 1997): the parts do not overlap.
function accurateSum(xs) {
  let parts = [];
  for (let x of xs) {
    const rest = [];
    for (const part of parts) {
      const [total, lost] = twoSum(x, part);
      if (lost !== 0) rest.push(lost);
      x = total;
    }
    parts = [...rest, x];
  }
  return parts.reduceRight((total, part) => total + part, 0);
}

// -- Rows of many operands

function sum(xs) {
  let total = 0;
  for (const x of xs) total += x;
  return total;
}

function prod(xs) {
  let total = 1;
  for (const x of xs) total *= x;
  return total;
}

// From left to right, as sum; the -0 that it begins with is the neutral element.
function dot(ws, xs) {
  let total = ws.length > 0 ? -0 : 0;
  for (let i = 0; i < ws.length; i++) total += ws[i] * xs[i];
  return total;
}

// The largest operand; NaN wins, and of equal ones the first.
function maximum(xs) {
  return xs.reduce((best, x) => (best >= x || Number.isNaN(best) ? best : x));
}

function minimum(xs) {
  return xs.reduce((best, x) => (best <= x || Number.isNaN(best) ? best : x));
}

// Shifted by the largest operand, whose own e^0 is 1.
function logsumexp(xs) {
  if (xs.length === 0) return -Infinity;
  const largest = maximum(xs);
  if (!Number.isFinite(largest)) return largest;
  const rest = xs.toSpliced(xs.indexOf(largest), 1);
  return largest + Math.log1p(sum(rest.map((x) => Math.exp(x - largest))));
}

// The product of all operands but one, for each: from both ends, no division.
function others(xs) {
  const found = xs.map(() => 1);
  let before = 1;
  let after = 1;
  for (let i = 0, j = xs.length - 1; j >= 0; i++, j--) {
    found[i] *= before;
    found[j] *= after;
    before *= xs[i];
    after *= xs[j];
  }
  return found;
}
