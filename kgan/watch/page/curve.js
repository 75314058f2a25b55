"use strict";
// A curve with its values under the pointer or, by the arrow keys, at a step.

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 200;
const [LEFT, RIGHT, TOP, BOTTOM] = [52, 10, 8, 24];
const WIDE = 50; // largest by smallest, from which a logarithmic scale shows more
const OUTLIERS = 0.01; // of the values, which may lie beyond the frame

function element(tag, { text, ...attributes } = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  made.append(...children);
  return made;
}

function shape(tag, attributes = {}, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function count(number) {
  return Math.round(number).toLocaleString("en");
}

/** A value in four digits. */
function short(value) {
  const rounded = Number(value.toPrecision(4));
  const isPlain = rounded === 0 || (Math.abs(rounded) >= 1e-3 && Math.abs(rounded) < 1e6);
  return isPlain ? String(rounded) : rounded.toExponential();
}

/** Steps as the axis names them: 1,200, 24k, 3.5M. */
function steps(number) {
  if (number >= 1e6) return `${Number((number / 1e6).toPrecision(4))}M`;
  return number >= 1e4 ? `${Number((number / 1e3).toPrecision(4))}k` : count(number);
}

/** The place in ascending points that is nearest to a step. */
function nearest(points, step) {
  let [low, high] = [0, points.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle][0] < step) low = middle + 1;
    else high = middle;
  }
  return low > 0 && step - points[low - 1][0] < points[low][0] - step ? low - 1 : low;
}

/** Round numbers from low to high, about so many. */
function ticks(low, high, about) {
  const raw = (high - low) / about;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= raw * 0.999);
  const first = Math.ceil(low / step);
  return Array.from({ length: 2 * Math.ceil(about) }, (_, place) => (first + place) * step).filter(
    (tick) => tick <= high + step / 1e6,
  );
}

function logTicks(low, high) {
  const found = [];
  const factors = high / low < 30 ? [1, 2, 5] : [1];
  const apart = Math.max(1, Math.ceil(Math.log10(high / low) / 5));
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += apart) {
    for (const factor of factors) {
      const tick = factor * 10 ** power;
      if (tick >= low && tick <= high) found.push(tick);
    }
  }
  return found;
}

class Curve {
  constructor(title) {
    this.range = null;
    this.lines = [];
    this.levels = [];
    this.picked = null; // a step
    this.chosenLog = null; // until somebody chooses, the values do
    this.button = element("button", { type: "button", text: "Log scale", "aria-pressed": "false" });
    this.svg = shape("svg", { role: "slider", tabindex: "0", "aria-label": title });
    this.legend = element("ul");
    const bar = element("div", { class: "bar" }, element("h3", { text: title }), this.button);
    this.place = element("div", { class: "curve" }, bar, this.svg, this.legend);
    this.button.addEventListener("click", () => {
      this.chosenLog = !this.isLog;
      this.draw();
    });
    this.svg.addEventListener("pointermove", (event) => this.point(event));
    this.svg.addEventListener("pointerdown", (event) => this.point(event));
    // A finger that is lifted leaves the values there, to be read.
    this.svg.addEventListener("pointerleave", ({ pointerType }) => pointerType === "mouse" && this.pick(null));
    this.svg.addEventListener("blur", () => this.pick(null));
    this.svg.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => requestAnimationFrame(() => this.draw())).observe(this.svg);
  }

  /**
   * @param lines [{ label, points: [[step, value], ...], stride }], none of them empty
   * @param levels [{ label, value, colour }], lines across; a class for their colour, or none
   * @param range [low, high] where values have bounds; else null
   */
  show(lines, levels, range) {
    this.range = range;
    this.lines = lines;
    this.levels = levels;
    this.draw();
  }

  get longest() {
    const lengths = this.lines.map(({ points }) => points.length);
    return this.lines[lengths.indexOf(Math.max(...lengths))].points;
  }

  key(event) {
    const points = this.longest;
    const at = this.picked === null ? points.length - 1 : nearest(points, this.picked);
    const page = Math.max(1, Math.round(points.length / 10));
    const to = {
      ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1,
      PageDown: at - page, PageUp: at + page, Home: 0, End: points.length - 1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.pick(points[Math.min(Math.max(to, 0), points.length - 1)][0]);
  }

  point(event) {
    if (!this.lines.length) return;
    const { left } = this.svg.getBoundingClientRect();
    const [first, last] = this.span;
    const across = (event.clientX - left - LEFT) / Math.max(1, this.width - LEFT - RIGHT);
    const points = this.longest;
    this.pick(points[nearest(points, first + across * (last - first))][0]);
  }

  pick(step) {
    this.picked = step;
    if (this.lines.length) this.mark();
  }

  draw() {
    this.width = this.svg.getBoundingClientRect().width;
    if (!this.lines.length || !this.width) return;
    const ends = this.lines.map(({ points }) => [points[0][0], points.at(-1)[0]]);
    this.span = [Math.min(...ends.map(([first]) => first)), Math.max(...ends.map(([, last]) => last))];
    this.scale();
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${HEIGHT}`);
    this.marks = shape("g");
    this.svg.replaceChildren(...this.axes(), ...this.paths(), this.marks);
    this.mark();
  }

  /** Chooses the values' scale: what the curve's bulk needs, and the levels. */
  scale() {
    const values = this.lines.flatMap(({ points }) => points.map(([, value]) => value));
    values.sort((one, other) => one - other);
    const beyond = values.length > 40 ? Math.floor(values.length * OUTLIERS) : 0;
    let [low, high] = [values[beyond], values.at(-1 - beyond)];
    const mayBeLog = !this.range && low > 0 && this.levels.every(({ value }) => value > 0);
    this.isLog = mayBeLog && (this.chosenLog ?? high / low > WIDE);
    this.button.hidden = !mayBeLog;
    this.button.setAttribute("aria-pressed", String(this.isLog));
    for (const { value } of this.levels) [low, high] = [Math.min(low, value), Math.max(high, value)];
    if (this.range) [low, high] = this.range;
    const of = this.isLog ? Math.log : (value) => value;
    let [bottom, top] = [of(low), of(high)];
    if (!(top > bottom)) [bottom, top] = [bottom - (Math.abs(bottom) || 1) / 10, top + (Math.abs(top) || 1) / 10];
    const margin = this.range ? 0 : (top - bottom) * 0.05;
    [bottom, top] = [bottom - margin, top + margin];
    this.ends = this.isLog ? [Math.exp(bottom), Math.exp(top)] : [bottom, top];
    const tall = HEIGHT - TOP - BOTTOM;
    this.y = (value) => TOP + tall * (1 - (of(value) - bottom) / (top - bottom));
    const [first, last] = this.span;
    const across = (this.width - LEFT - RIGHT) / Math.max(1, last - first);
    this.x = (step) => LEFT + (step - first) * across;
  }

  axes() {
    const right = this.width - RIGHT;
    const made = [];
    for (const tick of this.isLog ? logTicks(...this.ends) : ticks(...this.ends, 4)) {
      const y = this.y(tick);
      made.push(shape("line", { class: "frame", x1: LEFT, x2: right, y1: y, y2: y }));
      made.push(shape("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, short(tick)));
    }
    const [first, last] = this.span;
    const bottom = HEIGHT - 6;
    if (last > first) {
      for (const tick of ticks(first, last, Math.max(2, this.width / 110))) {
        const x = Math.min(this.x(tick), right - 12);
        made.push(shape("text", { x, y: bottom, "text-anchor": "middle" }, steps(tick)));
      }
    } else {
      made.push(shape("text", { x: LEFT, y: bottom }, steps(first)));
    }
    for (const { value, colour = "" } of this.levels) {
      const y = this.y(value);
      made.push(shape("line", { class: `equilibrium ${colour}`, x1: LEFT, x2: right, y1: y, y2: y }));
    }
    return made;
  }

  paths() {
    const inside = (value) => Math.min(Math.max(this.y(value), TOP - 4), HEIGHT - BOTTOM + 4);
    return this.lines.flatMap(({ points }, place) => {
      const name = `line-${(place % 4) + 1}`;
      if (points.length === 1) {
        const [step, value] = points[0];
        return [shape("circle", { class: `dot ${name}`, cx: this.x(step), cy: inside(value), r: 3 })];
      }
      const way = points.map(([step, value]) => `${this.x(step).toFixed(1)} ${inside(value).toFixed(1)}`);
      const dense = points.length > this.width ? " dense" : "";
      return [shape("path", { class: `line ${name}${dense}`, d: `M${way.join("L")}` })];
    });
  }

  /** Shows the values at the picked step, or the last ones. */
  mark() {
    const at = this.picked ?? this.span[1];
    this.marks?.replaceChildren();
    const said = [];
    const entries = this.lines.map(({ label, points, stride }, place) => {
      const [step, value] = points[nearest(points, at)];
      said.push(`${label} ${short(value)}`);
      const name = `line-${(place % 4) + 1}`;
      if (this.picked !== null) {
        this.marks.append(shape("circle", { class: `dot ${name}`, cx: this.x(step), cy: this.y(value), r: 3.5 }));
      }
      const means = stride > 1 ? `, means of ${count(stride)}` : "";
      return element("li", { class: name }, element("span", { text: `${label} ${short(value)}${means}` }));
    });
    for (const { label, value, colour = "" } of this.levels) {
      const text = `${label} ${short(value)}`;
      entries.push(element("li", { class: `level ${colour}` }, element("span", { text })));
    }
    entries.push(element("li", { class: "at", text: `step ${count(at)}` }));
    this.legend.replaceChildren(...entries);
    if (this.picked !== null) {
      const x = this.x(at);
      this.marks.prepend(shape("line", { class: "guide", x1: x, x2: x, y1: TOP, y2: HEIGHT - BOTTOM }));
    }
    const points = this.longest;
    this.svg.setAttribute("aria-valuemin", "0");
    this.svg.setAttribute("aria-valuemax", String(points.length - 1));
    this.svg.setAttribute("aria-valuenow", String(nearest(points, at)));
    this.svg.setAttribute("aria-valuetext", `step ${count(at)}: ${said.join(", ")}`);
  }
}
