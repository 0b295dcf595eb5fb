// Controls: a slider with a field for its number, tables of numbers, a run of steps.

// ``input(value)`` is told what the reader chose; ``set(value)`` shows a number.
function knob(parent, { label, min, max, step, value, input }) {
  const field = html("input", { type: "number", step: "any", value });
  const range = html("input", { type: "range", min, max, step, value });
  range.setAttribute("aria-label", label);
  const name = html("label", {}, html("span", {}, label), field);
  const whole = html("div", { class: "knob" }, name, range);
  parent.append(whole);
  const tell = (from, to) => {
    if (from.value === "" || !Number.isFinite(Number(from.value))) return;
    to.value = from.value;
    input(Number(from.value));
  };
  range.addEventListener("input", () => tell(range, field));
  field.addEventListener("input", () => tell(field, range));
  const set = (number) => {
    const finite = Number.isFinite(number);
    if (finite) range.value = number;
    if (document.activeElement === field) return;
    field.value = finite ? Number(number.toPrecision(6)) : "";
    field.placeholder = short(number);
  };
  return { set, whole, range, min, max };
}

// Names and texts, in two columns.
function facts(list, pairs) {
  const rows = pairs.flatMap(([name, text]) => [
    html("dt", {}, name),
    html("dd", {}, text),
  ]);
  list.replaceChildren(...rows);
}

function rows(body, texts, look = () => "") {
  const made = texts.map((cells, k) =>
    html("tr", { class: look(k) }, ...cells.map((text) => html("td", {}, text))),
  );
  body.replaceChildren(...made);
}

// Four places for numbers of the usual size.
function places(x) {
  return Math.abs(x) < 1e4 ? x.toFixed(4).replace(/^-(0\.0+)$/, "$1") : short(x);
}

// " + 2" or " - 2"
function signed(x, digits = 4) {
  const size = short(Math.abs(x), digits);
  return x < 0 ? ` - ${size}` : ` + ${size}`;
}

// The buttons step, run and reset. ``step()`` takes one and says whether there is more;
// ``shown()`` follows what was done. Where motion is not wanted, a run is a jump.
class Runner {
  constructor({ step, reset, shown }) {
    Object.assign(this, { step, shown, timer: null });
    $("step").addEventListener("click", () => this.once(1));
    $("run").addEventListener("click", () => (this.timer ? this.stop() : this.start()));
    $("reset").addEventListener("click", () => {
      this.stop();
      reset();
    });
  }

  once(count) {
    this.stop();
    this.some(count);
  }

  some(count) {
    let more = true;
    for (let k = 0; k < count && more; k++) more = this.step();
    this.shown();
    return more;
  }

  start() {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return this.once(50);
    let ticks = 0;
    $("run").textContent = "pause";
    this.timer = setInterval(() => {
      ticks += 1;
      if (!this.some(1 + Math.floor(ticks / 40))) this.stop();
    }, 120);
  }

  stop() {
    if (!this.timer) return;
    clearInterval(this.timer);
    this.timer = null;
    $("run").textContent = "run";
    this.shown();
  }
}
