// What the page says of its model: how far it is loaded, what it is, how good, under which licence.

const element = (id) => document.getElementById(id);
const inMegabytes = (bytes) => (bytes / 1e6).toFixed(1);

/** How far the model and its runtime are loaded, in bytes. */
export function showProgress({ loaded, total }) {
  Object.assign(element("progress"), { max: total, value: loaded });
  element("loaded").textContent = `${inMegabytes(loaded)} of ${inMegabytes(total)} MB`;
}

/**
 * Tells what the model is.
 * @param {object} manifest its manifest, as `kgan export --web` wrote it
 */
export function describe(manifest) {
  const [height, width, channels] = manifest.output.shape.slice(1);
  const { latents, labels, training = {}, versions = {} } = manifest;
  document.title = `${manifest.name} · kgan`;
  element("name").textContent = manifest.name;
  const colours =
    { 1: "grey", 3: "colour", 4: "colour and transparency" }[channels] ??
    `${channels} channels side by side`;
  const sorts = [`${width} × ${height}`, colours, ...(labels ? [labelsInWords(labels)] : [])];
  const licence = manifest.licence ? ` · ${manifest.licence}` : "";
  element("facts").textContent = sorts.join(", ") + licence;
  const facts = [
    ["Licence", manifest.licence ?? "none named"],
    ["Version", manifest.version],
    ["Latents", `${latents.dim} values, ${latents.distribution}`],
    ["A seed's latent", latents.law],
    ["Network", training.preset],
    ["Trained on", training.data ?? training.source],
    ...manifest.figures.map(([what, words]) => [what[0].toUpperCase() + what.slice(1), words]),
    ["kgan", versions.kgan],
    ["Runtime", manifest.web_runtime],
  ];
  for (const [name, value] of facts) if (value != null) addFact(name, value);
}

function labelsInWords({ num_classes: count, attributes }) {
  if (!attributes) return `${count} classes`;
  return attributes.length === 1 ? "1 attribute" : `${attributes.length} attributes`;
}

export function addFact(name, value) {
  const [term, text] = ["dt", "dd"].map((tag) => document.createElement(tag));
  term.textContent = name;
  text.textContent = value;
  element("about").append(term, text);
}
