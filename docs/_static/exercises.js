// Exercises: what a reader types is compared with the number that Python computed.
"use strict";

// What a text of numbers, + - * / ^ and brackets comes to; NaN for any other.
function evaluated(text) {
  const tokens = text.match(/(\d+\.?\d*|\.\d+)(e[-+]?\d+)?|[-+*/^()]/gi) ?? [];
  if (!text.trim() || tokens.join("") !== text.replace(/\s+/g, "")) return NaN;
  const taken = (...signs) => signs.includes(tokens[0]) && tokens.shift();
  function sum() {
    let x = product();
    for (let sign; (sign = taken("+", "-")); ) x += (sign === "+" ? 1 : -1) * product();
    return x;
  }
  function product() {
    let x = signed();
    for (let sign; (sign = taken("*", "/")); ) x = sign === "*" ? x * signed() : x / signed();
    return x;
  }
  function signed() {
    if (taken("-")) return -signed();
    return taken("+") ? signed() : power();
  }
  function power() {
    const x = atom();
    return taken("^") ? x ** signed() : x;
  }
  function atom() {
    if (!taken("(")) return /^[\d.]/.test(tokens[0]) ? Number(tokens.shift()) : NaN;
    const x = sum();
    return taken(")") ? x : NaN;
  }
  const value = sum();
  return tokens.length ? NaN : value;
}

// The number that a text means, and how it was read if that needs saying; or null.
function readNumber(text) {
  const plain = text.trim().replace(/[−–]/g, "-").replace(/[×·]/g, "*");
  const pointed = plain.replace(/(\d),(?=\d)|^(-?),(?=\d)/g, "$1$2.");
  const value = evaluated(pointed.replaceAll("**", "^"));
  if (!Number.isFinite(value)) return null;
  return { value, said: pointed === plain ? "" : ` (${plain} was read as ${pointed}.)` };
}

function judged(text, answer, tolerance) {
  const read = readNumber(text);
  if (!read) return { right: false, said: "Write a number: 0.5, 1/2, 5e-1 or 3 * 0.5 + 2." };
  const right = Math.abs(read.value - answer) <= tolerance * (1 + 1e-9);
  const said = right
    ? "Right. The explanation is below."
    : "Not yet. Try again; the answer is below when you want it.";
  return { right, said: said + read.said };
}

function prepare(exercise) {
  const form = exercise.querySelector("form");
  const input = form.querySelector("input");
  const output = form.querySelector("output");
  const { answer, tolerance } = form.dataset;
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { right, said } = judged(input.value, Number(answer), Number(tolerance));
    output.textContent = said;
    output.className = right ? "right" : "not-yet";
    if (right) exercise.querySelector(".exercise-answer").open = true;
  });
}

document.querySelectorAll(".exercise").forEach(prepare);
