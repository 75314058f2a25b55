// Sliders for a latent's values, a page of them at a time.

const PAGE = 12;
const element = (id) => document.getElementById(id);

export class Sliders {
  /**
   * @param {import("./generator.js").Generator} generator
   * @param {function(Float32Array, boolean)} onChange takes the latent and whether it differs from where it started
   */
  constructor(generator, onChange) {
    this.dim = generator.dim;
    this.reach = generator.isNormal ? 4 : 1;
    this.onChange = onChange;
    this.first = 0;
    this.rows = Array.from({ length: Math.min(PAGE, this.dim) }, () => this.#row());
    element("sliders").append(...this.rows.map(({ row }) => row));
    element("earlier").addEventListener("click", () => this.#turn(-PAGE));
    element("later").addEventListener("click", () => this.#turn(PAGE));
    element("reset").addEventListener("click", () => {
      this.latent = this.origin;
      this.#fill();
      this.onChange(this.latent, false);
    });
  }

  #row() {
    const row = document.createElement("label");
    const name = document.createElement("span");
    const input = document.createElement("input");
    const value = document.createElement("output");
    Object.assign(input, { type: "range", min: -this.reach, max: this.reach, step: 0.01 });
    row.append(name, input, value);
    input.addEventListener("input", () => {
      this.latent = this.latent.slice();
      this.latent[Number(row.dataset.place)] = Number(input.value);
      this.#fill();
      this.onChange(
        this.latent,
        this.latent.some((number, place) => number !== this.origin[place]),
      );
    });
    return { row, name, input, value };
  }

  /** Starts from a latent; Reset returns to it. */
  start(latent) {
    this.origin = latent;
    this.latent = latent;
    this.#fill();
  }

  #turn(step) {
    this.first += step;
    this.#fill();
  }

  #fill() {
    this.rows.forEach(({ row, name, input, value }, offset) => {
      const place = this.first + offset;
      row.hidden = place >= this.dim;
      if (row.hidden) return;
      row.dataset.place = place;
      row.classList.toggle("changed", this.latent[place] !== this.origin[place]);
      name.textContent = place + 1;
      input.setAttribute("aria-label", `Value ${place + 1} of the latent`);
      input.value = this.latent[place];
      value.textContent = this.latent[place].toFixed(2).replace("-", "−");
    });
    const last = Math.min(this.first + PAGE, this.dim);
    element("range").textContent = `${this.first + 1}–${last} of ${this.dim}`;
    element("earlier").disabled = this.first === 0;
    element("later").disabled = last === this.dim;
  }
}
