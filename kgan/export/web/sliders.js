// Sliders for named directions in latents and, behind "More", for a latent's values, a page of them
// at a time.

const PAGE = 12;
const element = (id) => document.getElementById(id);

export class Sliders {
  /**
   * @param {import("./generator.js").Generator} generator
   * @param {function(Float32Array, boolean)} onChange takes the latent and whether it differs from where it started
   */
  constructor(generator, onChange) {
    this.dim = generator.dim;
    this.onChange = onChange;
    this.first = 0;
    this.directions = generator.directions;
    this.named = this.directions.map(({ name, reach }, place) => {
      const made = this.#row(reach, (strength) => (this.strengths[place] = strength));
      made.name.textContent = name;
      made.input.setAttribute("aria-label", `Strength of ${name}`);
      return made;
    });
    const reach = generator.isNormal ? 4 : 1;
    this.rows = Array.from({ length: Math.min(PAGE, this.dim) }, (_, offset) =>
      this.#row(reach, (value) => this.#set(this.first + offset, value)),
    );
    element("named").append(...this.named.map(({ row }) => row));
    element("sliders").append(...this.rows.map(({ row }) => row));
    element("unnamed").hidden = this.named.length > 0;
    element("more").addEventListener("click", () => this.#open(element("sliders").hidden));
    this.#open(false);
    element("earlier").addEventListener("click", () => this.#page(-PAGE));
    element("later").addEventListener("click", () => this.#page(PAGE));
    element("reset").addEventListener("click", () => {
      this.start(this.origin);
      this.onChange(this.latent, false);
    });
  }

  #row(reach, onInput) {
    const row = document.createElement("label");
    const name = document.createElement("span");
    const input = document.createElement("input");
    const value = document.createElement("output");
    Object.assign(input, { type: "range", min: -reach, max: reach, step: 0.01 });
    row.append(name, input, value);
    input.addEventListener("input", () => {
      onInput(Number(input.value));
      this.#fill();
      this.onChange(this.latent, this.isChanged);
    });
    return { row, name, input, value };
  }

  get isChanged() {
    return (
      this.strengths.some((strength) => strength !== 0) ||
      this.base.some((number, place) => number !== this.origin[place])
    );
  }

  /** What differs from the start: [[place of a direction, strength], ...] and the same of values. */
  get changes() {
    const of = (numbers, start) => [...numbers.entries()].filter(([at, one]) => one !== start(at));
    return {
      strengths: of(this.strengths, () => 0),
      values: of(this.base, (place) => this.origin[place]),
    };
  }

  /** Goes where `changes` said; an Error where this model has no such sliders. */
  change({ strengths, values }) {
    for (const [numbers, changed] of [[this.strengths, strengths], [this.base, values]]) {
      for (const [place, number] of changed) {
        if (!(place in numbers) || !Number.isFinite(number)) throw new Error("not of this model");
        numbers[place] = number;
      }
    }
    this.#fill();
    if (this.isChanged) this.onChange(this.latent, true);
  }

  /** Shows or hides the sliders of single values, which named ones stand for. */
  #open(isOpen) {
    element("sliders").hidden = !isOpen;
    element("pages").hidden = !isOpen;
    element("more").setAttribute("aria-expanded", String(isOpen));
    element("more").textContent = isOpen ? "Less" : "More";
  }

  /** Starts from a latent; Reset returns to it. */
  start(latent) {
    this.origin = latent;
    this.base = latent.slice();
    this.strengths = this.directions.map(() => 0);
    this.#fill();
  }

  /** Sets one value of the latent as it is with all strengths. */
  #set(place, value) {
    const moved = this.latent[place] - this.base[place];
    this.base[place] = value - moved;
  }

  #page(step) {
    this.first += step;
    this.#fill();
  }

  #fill() {
    this.latent = this.base.map((value, place) =>
      this.directions.reduce(
        (sum, { vector }, which) => sum + this.strengths[which] * vector[place],
        value,
      ),
    );
    this.named.forEach((made, place) => {
      show(made, this.strengths[place], this.strengths[place] !== 0);
    });
    this.rows.forEach((made, offset) => {
      const place = this.first + offset;
      made.row.hidden = place >= this.dim;
      if (made.row.hidden) return;
      made.name.textContent = place + 1;
      made.input.setAttribute("aria-label", `Value ${place + 1} of the latent`);
      show(made, this.latent[place], this.latent[place] !== this.origin[place]);
    });
    const last = Math.min(this.first + PAGE, this.dim);
    element("range").textContent = `${this.first + 1}–${last} of ${this.dim}`;
    element("earlier").disabled = this.first === 0;
    element("later").disabled = last === this.dim;
  }
}

function show({ row, input, value }, number, isChanged) {
  row.classList.toggle("changed", isChanged);
  input.value = number;
  value.textContent = number.toFixed(2).replace("-", "−");
}
