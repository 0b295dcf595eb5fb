// Exercises: what a reader types is compared with the number that Python computed.
"use strict";

// The number that a text means, and how it was read if that needs saying; or null.
function readNumber(text) {
  const plain = text.trim().replace(/[−–]/g, "-").replace(/\s*\/\s*/, "/");
  const pointed = plain.replace(/(\d),(?=\d)|^(-?),(?=\d)/g, "$1$2.");
  const parts = pointed.split("/");
  const pattern = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;
  if (parts.length > 2 || !parts.every((part) => pattern.test(part))) return null;
  const value = parts.map(Number).reduce((above, below) => above / below);
  if (!Number.isFinite(value)) return null;
  return { value, said: pointed === plain ? "" : ` (${plain} was read as ${pointed}.)` };
}

function judged(text, answer, tolerance) {
  const read = readNumber(text);
  if (!read) return { right: false, said: "Write a number: 0.5, 1/2 or 5e-1." };
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
