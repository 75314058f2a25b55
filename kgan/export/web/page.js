// Opens the model, connects the page's parts and keeps its state in its address.

import { addFact, describe, showProgress } from "./about.js";
import { AttributeControls } from "./attributes.js";
import { Generator } from "./generator.js";
import { Grid } from "./grid.js";
import { offerToKeep } from "./keeping.js";
import { isSeed } from "./link.js";
import { Studio } from "./studio.js";

const ADDRESS_MILLISECONDS = 200; // browsers refuse addresses that change more often
const element = (id) => document.getElementById(id);
const say = (text) => (element("status").textContent = text);

function note(text) {
  element("note").textContent = text;
  element("note").hidden = !text;
}

async function start() {
  const response = await fetch("manifest.json");
  if (!response.ok) throw new Error(`manifest.json: ${response.status} ${response.statusText}`);
  const manifest = await response.json();
  manifest.name ??= "generator"; // it is optional, as `training` and `versions` are
  const generator = new Generator(manifest);
  document.body.classList.toggle("see-through", generator.hasAlpha);
  describe(manifest);
  await generator.open(showProgress);
  addFact("Runs", generator.machine);

  let controls; // of what samples are asked to be
  let waiting;
  const studio = new Studio(generator, {
    say,
    show: ({ seed, label }) => {
      if (seed !== undefined) grid.find(seed);
      controls.picked?.(label);
    },
    change: () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => history.replaceState(null, "", link()), ADDRESS_MILLISECONDS);
    },
  });
  const grid = new Grid(generator, {
    pick: (picture) => studio.pick(picture),
    keep: (slot, picture) => studio.keep(slot, picture),
    say,
  });
  controls = offerClasses(generator, grid, studio) ?? offerAttributes(generator, grid, studio) ?? {};

  /** The address that leads to what the page shows. */
  function link() {
    const label = grid.label === null ? {} : { label: JSON.stringify(grid.label) };
    const state = new URLSearchParams({ seed: grid.seed, ...label, ...studio.state() });
    return new URL(`#${state}`, location.href).href;
  }

  /** The seed that a text names; null, and words on the page, where it names none. */
  function seedIn(text) {
    const seed = text === "" ? NaN : Number(text);
    const last = Number.MAX_SAFE_INTEGER - grid.count + 1;
    const isRight = isSeed(seed) && seed <= last;
    element("seed").setAttribute("aria-invalid", String(!isRight));
    note(isRight ? "" : `A seed is a whole number from 0 to ${last}. Received: ${text || "none"}`);
    return isRight ? seed : null;
  }

  /** Draws the samples from a seed on; false where other ones were asked for meanwhile. */
  async function goTo(seed) {
    grid.seed = seed;
    element("seed").value = seed;
    return grid.draw();
  }

  async function goToAndPick(text) {
    const seed = seedIn(text);
    if (seed !== null && (await goTo(seed))) grid.pick(grid.picked);
  }

  /** Goes where `link` said; what it leaves out is as at the start. */
  async function show({ seed = "0", label = "null", ...state }) {
    const [start, asked] = [seedIn(seed), JSON.parse(label)];
    const isRight = start !== null && (asked === null || generator.isLabel(asked));
    if (!isRight) throw new Error("not of this model");
    grid.label = asked;
    controls.asked?.(asked);
    if (!(await goTo(start))) return;
    const [A, B, C] = [0, 1, 2].map((place) => String(start + place));
    const isPicked = !["between", "sum"].includes(state.tab); // else it is made of A, B and C
    await studio.restore({ A, B, C, tab: "sliders", ...(isPicked && { picture: A }), ...state });
  }

  async function follow() {
    try {
      await show(Object.fromEntries(new URLSearchParams(location.hash.slice(1))));
    } catch {
      await show({});
      note("This link is not of this model. It is shown from the start.");
    }
  }

  element("new").addEventListener("click", () => goToAndPick(String(grid.seed + grid.count)));
  element("seed").addEventListener("change", ({ target }) => goToAndPick(target.value));
  await follow();
  await offerToKeep(generator, grid, studio, { say, note, link });
  addEventListener("hashchange", follow);
  element("page").hidden = false;
  element("loading").hidden = true;
  say("Ready");
}

function offerClasses(generator, grid, studio) {
  if (!generator.classes) return null;
  const field = element("class");
  field.append(...generator.classes.map((name, label) => new Option(name, label)));
  element("class-field").hidden = false;
  field.addEventListener("change", async () => {
    grid.label = field.value === "" ? null : Number(field.value);
    const isSample = grid.tiles.some(({ picture }) => picture.seed === studio.shown.seed);
    if (!(await grid.draw())) return;
    if (isSample) grid.pick(grid.picked);
    else if (grid.label !== null) studio.relabel(grid.label);
  });
  return { asked: (label) => (field.value = label ?? "") };
}

function offerAttributes(generator, grid, studio) {
  if (!generator.attributes) return null;
  const all = element("all-samples");
  const redraw = () => {
    grid.label = all.checked ? controls.label : null;
    grid.draw();
  };
  const controls = new AttributeControls(generator, {
    change: (label) => studio.relabel(label),
    settle: () => all.checked && redraw(),
  });
  all.addEventListener("change", redraw);
  return {
    asked: (label) => (all.checked = label !== null),
    picked: (label) => controls.show(label),
  };
}

// When something fails, at the start or later, the page says what.
addEventListener("unhandledrejection", ({ reason }) => {
  element("failure").textContent = `This page cannot continue: ${reason.message}`;
  element("failure").hidden = false;
  element("loading").hidden = true;
});
start();
