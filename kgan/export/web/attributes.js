// Switches and sliders for what the picked picture, or all samples, are asked to be.

import { inWords } from "./generator.js";

const element = (id) => document.getElementById(id);

export class AttributeControls {
  /**
   * @param {import("./generator.js").Generator} generator one with attributes
   * @param {{change: function(number[]), settle: function()}} on `change` takes the values while
   *   they move, `settle` comes when they rest
   */
  constructor(generator, on) {
    this.label = null;
    this.rows = generator.attributes.map((attribute, place) => this.#row(attribute, place, on));
    element("attribute-rows").append(...this.rows.map(({ row }) => row));
    element("attributes").hidden = false;
  }

  #row({ name, kind, range: [low, high] }, place, on) {
    const row = document.createElement("label");
    const [title, value] = [document.createElement("span"), document.createElement("output")];
    const input = document.createElement("input");
    const isSwitch = kind === "switch";
    title.textContent = name;
    if (isSwitch) input.type = "checkbox";
    // Of any step: one that is rounded would not reach the end.
    else Object.assign(input, { type: "range", min: low, max: high, step: "any" });
    row.append(title, input, value);
    input.addEventListener("input", () => {
      const number = isSwitch ? Number(input.checked) : Number(input.value);
      this.show(this.label.map((old, other) => (other === place ? number : old)));
      on.change(this.label);
    });
    input.addEventListener("change", () => on.settle());
    return { row, input, value, isSwitch, range: [low, high] };
  }

  /** Shows a picture's values. */
  show(label) {
    this.label = label;
    this.rows.forEach(({ input, value, isSwitch, range }, place) => {
      if (isSwitch) input.checked = label[place] >= 0.5;
      else input.value = label[place];
      value.textContent = isSwitch ? "" : inWords(label[place], range);
    });
  }
}
