// Numbers: from JSON that lacks NaN and the infinities, and into a few characters.

const DATA = JSON.parse(document.getElementById("data").textContent);

// The number that JSON holds: itself, or the text "NaN", "Infinity", "-Infinity".
function number(x) {
  return typeof x === "string" ? Number(x) : x;
}

// Four significant digits, as in Python's format(x, ".4g").
function short(x, digits = 4) {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
  if (x === 0) return Object.is(x, -0) ? "-0" : "0";
  const [mantissa, exponent] = x.toExponential(digits - 1).split("e");
  const power = Number(exponent);
  if (power < -4 || power >= digits) {
    const sign = power < 0 ? "-" : "+";
    return `${trimmed(mantissa)}e${sign}${String(Math.abs(power)).padStart(2, "0")}`;
  }
  return trimmed(x.toFixed(Math.max(0, digits - 1 - power)));
}

function trimmed(text) {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
