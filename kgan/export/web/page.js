// Opens the model and connects the page's parts.

import { AttributeControls } from "./attributes.js";
import { Generator } from "./generator.js";
import { Grid } from "./grid.js";
import { Studio } from "./studio.js";

const element = (id) => document.getElementById(id);
const say = (text) => (element("status").textContent = text);

async function start() {
  const response = await fetch("manifest.json");
  if (!response.ok) throw new Error(`manifest.json: ${response.status} ${response.statusText}`);
  const manifest = await response.json();
  manifest.name ??= "generator"; // it is optional, as `training` and `versions` are
  const generator = new Generator(manifest);
  describe(manifest);
  document.body.classList.toggle("see-through", generator.hasAlpha);
  await generator.open();
  describeMachine(generator);

  let controls;
  const studio = new Studio(generator, say, ({ label }) => controls?.show(label));
  const grid = new Grid(generator, {
    pick: (picture) => studio.pick(picture),
    keep: (slot, picture) => studio.keep(slot, picture),
    say,
  });
  offerClasses(generator, grid, studio);
  controls = offerAttributes(generator, grid, studio);

  const seedField = element("seed");
  const goTo = async (seed) => {
    grid.seed = Math.min(Math.max(0, seed), Number.MAX_SAFE_INTEGER - grid.count);
    seedField.value = grid.seed;
    if (await grid.draw()) grid.pick(grid.picked);
  };
  element("new").addEventListener("click", () => goTo(grid.seed + grid.count));
  element("save-grid").addEventListener("click", () => grid.save());
  seedField.addEventListener("change", () => goTo(Math.trunc(Number(seedField.value)) || 0));

  await goTo(0);
  ["A", "B", "C"].forEach((slot, place) => studio.keep(slot, grid.tiles[place].picture));
  element("page").hidden = false;
  element("loading").hidden = true;
  say("Ready");
}

function offerClasses(generator, grid, studio) {
  if (!generator.classes) return;
  const field = element("class");
  field.append(...generator.classes.map((name, label) => new Option(name, label)));
  element("class-field").hidden = false;
  field.addEventListener("change", async () => {
    grid.label = field.value === "" ? null : Number(field.value);
    const isSample = grid.tiles.some(({ picture }) => picture === studio.shown);
    if (!(await grid.draw())) return;
    if (isSample) grid.pick(grid.picked);
    else if (grid.label !== null) studio.relabel(grid.label);
  });
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
  return controls;
}

/** What the model is, from its manifest. */
function describe(manifest) {
  const [height, width, channels] = manifest.output.shape.slice(1);
  const { latents, labels, training = {}, versions = {} } = manifest;
  document.title = `${manifest.name} · kgan`;
  element("name").textContent = manifest.name;
  const colours =
    { 1: "grey", 3: "colour", 4: "colour and transparency" }[channels] ??
    `${channels} channels side by side`;
  element("facts").textContent =
    `${width} × ${height}, ${colours}` + (labels ? `, ${labelsInWords(labels)}` : "");
  const facts = {
    Version: manifest.version,
    Latents: `${latents.dim} values, ${latents.distribution}`,
    "A seed's latent": latents.law,
    "Network": training.preset,
    "Trained on": training.data ?? training.source,
    Licence: manifest.licence,
    kgan: versions.kgan,
    Runtime: manifest.web_runtime,
  };
  for (const [name, value] of Object.entries(facts)) if (value != null) addFact(name, value);
}

function labelsInWords({ num_classes: count, attributes }) {
  if (!attributes) return `${count} classes`;
  return attributes.length === 1 ? "1 attribute" : `${attributes.length} attributes`;
}

function describeMachine({ threads }) {
  addFact("Threads", threads);
}

function addFact(name, value) {
  const [term, text] = ["dt", "dd"].map((tag) => document.createElement(tag));
  term.textContent = name;
  text.textContent = value;
  element("about").append(term, text);
}

// When something fails, at the start or later, the page says what.
addEventListener("unhandledrejection", ({ reason }) => {
  element("loading").textContent = `This page cannot continue: ${reason.message}`;
  element("loading").classList.add("failed");
  element("loading").hidden = false;
});
start();
