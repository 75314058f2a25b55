// Asks for what is new in the run, and shows it.

const EACH = 2000; // milliseconds between two questions
const SELDOM = 10000; // where nothing is in training, or nobody looks
const AT_ONCE = 100; // while a long log is read
const byId = (id) => document.getElementById(id);

// Names of figures in a run's log, its curves.csv and its history.csv: the first place that has more
// than one value of it is shown.
const CURVES = [
  {
    title: "Losses",
    lines: [
      ["discriminator", "d_loss"], ["generator", "g_loss"], ["reconstruction", "loss"],
    ],
    levels: [["equilibrium of D", "d_loss", "line-1"], ["of G", "g_loss", "line-2"]],
  },
  {
    title: "What D says of images",
    lines: [["D(x), real", "d_real"], ["D(G(z)), generated", "d_fake"]],
    levels: [["equilibrium", "judged"]],
    range: [0, 1],
    probabilities: true, // under some losses its outputs are none
  },
  {
    title: "Share that D judges rightly",
    lines: [["of real", "accuracy_real"], ["of generated", "accuracy_fake"]],
    levels: [["equilibrium", "accuracy"]],
    range: [0, 1],
  },
  {
    title: "Kernel distance (what KID computes)",
    lines: [
      ["held out", "quality/kernel_distance", "kernel_distance"],
      ["trained on", "quality/kernel_distance_to_training", "kernel_distance_to_training"],
    ],
  },
  {
    title: "Logits of D",
    lines: [["real", "real_logits"], ["generated", "fake_logits"]],
  },
  {
    title: "Precision and recall",
    lines: [
      ["precision", "quality/precision", "precision"], ["recall", "quality/recall", "recall"],
    ],
    range: [0, 1],
  },
];

const known = { log: new Map(), table: new Map(), history: new Map() };
const drawn = new Map(); // where and what -> Curve
const sheets = new Sheets();
let last = null; // what the server told last
let said = 0; // of the doctor's words

function take(told) {
  const { state, words, time } = told;
  const isGone = state === "gone" && last;
  const news = isGone ? { ...last, state, words, time, log: {}, table: {}, history: {} } : told;
  if (last && news.session !== last.session) for (const map of Object.values(known)) map.clear();
  for (const [kind, map] of Object.entries(known)) {
    for (const [name, part] of Object.entries(news[kind])) {
      const before = part.whole ? [] : (map.get(name)?.before ?? []);
      before.push(...part.points);
      // The last value may wait for others to become a point with them.
      const rest = part.last && part.last[0] > (before.at(-1)?.[0] ?? -1) ? [part.last] : [];
      map.set(name, { before, points: [...before, ...rest], stride: part.stride });
    }
  }
  showState(news);
  sheets.show(news.sheets);
  showDoctor(news.doctor);
  showCurves(news.levels, news.is_probability);
  if (byId("others-place").open) showOthers();
  describe(byId("settings"), news.settings);
  last = news;
}

function showState(news) {
  const { facts } = news;
  document.title = `${news.name} · kgan watch`;
  byId("name").textContent = news.name;
  const settings = new Map(news.settings);
  byId("what").textContent = [settings.get("preset"), settings.get("source")].filter(Boolean).join(" on ");
  const reading = news.share < 1 ? ` Reading its log: ${Math.floor(100 * news.share)}%.` : "";
  byId("words").textContent = news.words + reading;
  byId("words").classList.remove("failed");
  if (last?.state !== news.state) byId("status").textContent = news.words;
  byId("share").hidden = facts.share === null;
  if (facts.share !== null) byId("share").value = facts.share;
  const of = (part, whole) => count(part) + (whole === null ? "" : ` of ${count(whole)}`);
  const kid = known.log.get("quality/kernel_distance") ?? known.history.get("kernel_distance");
  const shown = [
    ["Step", of(facts.step, facts.steps)],
    ["Epoch", facts.epoch === null ? null : of(facts.epoch, facts.epochs)],
    ["Images a second", facts.images_per_second === null ? null : count(facts.images_per_second)],
    ["Trained for", duration(facts.seconds)],
    ["Time left, about", duration(facts.seconds_left)],
    ["Kernel distance", kid?.points.length ? short(kid.points.at(-1)[1]) : null],
  ];
  describe(byId("facts"), shown.filter(([, value]) => value !== null));
  const when = new Date(1000 * news.time);
  const asOf = `As of ${kept ? when.toLocaleString() : when.toLocaleTimeString()}.`;
  byId("notes").textContent = [asOf, ...news.notes].join(" ");
}

/** Seconds as people say them. */
function duration(seconds) {
  if (seconds === null) return null;
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  if (hours) return `${count(hours)} h ${minutes} min`;
  return minutes ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}

function describe(list, pairs) {
  const text = JSON.stringify(pairs);
  if (list.dataset.shown === text) return;
  list.dataset.shown = text;
  const entries = pairs.map(([name, value]) =>
    element("div", {}, element("dt", { text: name }), element("dd", { text: value })),
  );
  list.replaceChildren(...entries);
}

function showDoctor(words) {
  byId("doctor-silent").hidden = words.length > 0;
  const newest = words.at(-1);
  const text = newest ? `${newest.step} ${newest.words}` : "";
  if (byId("doctor").dataset.said === text && words.length === said) return;
  byId("doctor").dataset.said = text;
  if (last && newest) byId("status").textContent = `Run doctor: ${newest.words}`;
  said = words.length;
  const entries = words.map(({ step, words, over }) =>
    element("li", { class: over ? "over" : "ill" },
      element("span", { class: "quiet", text: `step ${count(step)} ` }), words),
  );
  byId("doctor").replaceChildren(...entries.reverse());
}

/** The line of a figure; none where no place has it. */
function line(label, names) {
  const found = Object.values(known).flatMap((map) => names.map((name) => map.get(name)));
  const filled = found.filter((series) => series?.points.length);
  const best = filled.find(({ points }) => points.length > 1) ?? filled[0];
  return best && { label, points: best.points, stride: best.stride };
}

function show(place, order, title, lines, levels = [], range = null) {
  const key = `${place.id} ${title}`;
  if (!lines.length) {
    drawn.get(key)?.place.remove();
    return;
  }
  if (!drawn.has(key)) drawn.set(key, new Curve(title));
  const curve = drawn.get(key);
  if (!curve.place.isConnected) {
    curve.place.dataset.order = order;
    const next = [...place.children].find(({ dataset }) => Number(dataset.order) > order);
    place.insertBefore(curve.place, next ?? null);
  }
  const state = lines.map(({ label, points }) => [label, points.length, points.at(-1)]);
  const text = JSON.stringify([state, levels]);
  if (curve.place.dataset.shown === text) return;
  curve.place.dataset.shown = text;
  curve.show(lines, levels, range);
}

function showCurves(levels, isProbability) {
  for (const [order, { title, lines, levels: own = [], range, probabilities }] of CURVES.entries()) {
    const there = lines.map(([label, ...names]) => line(label, names)).filter(Boolean);
    const across = own
      .filter(([, name]) => levels[name] !== undefined && there.length)
      .map(([label, name, colour]) => ({ label, value: levels[name], colour }));
    const bounds = !probabilities || isProbability ? range : undefined;
    show(byId("curves"), order, title, there, across, bounds);
  }
  byId("no-curves").hidden = byId("curves").children.length > 0;
  byId("others-place").hidden = !others().length;
}

/** Names of the figures that have no curve above. */
function others() {
  const above = new Set(CURVES.flatMap(({ lines }) => lines.flatMap(([, ...names]) => names)));
  const names = new Set(Object.values(known).flatMap((map) => [...map.keys()]));
  const isElsewhere = (name) => above.has(name) || names.has(`quality/${name}`);
  return [...names].filter((name) => !isElsewhere(name)).sort();
}

function showOthers() {
  for (const [order, name] of others().entries()) {
    const one = line(name, [name]);
    show(byId("others"), order, name, one ? [one] : []);
  }
}

/** Says what is wrong in place of the state, until an answer comes. */
function fail(words) {
  if (byId("words").textContent !== words) byId("status").textContent = words;
  byId("words").textContent = words;
  byId("words").classList.add("failed");
}

/** Asks once; returns the milliseconds until it is worth asking again. */
async function ask() {
  const since = last ? `?after=${last.serial}&session=${last.session}` : "";
  let response;
  try {
    response = await fetch(`news${since}`);
  } catch {
    fail("The server of this page has ended. What it showed last stays here.");
    return SELDOM;
  }
  if (!response.ok) {
    fail(`The run could not be read: ${await response.text()}`);
    return SELDOM;
  }
  take(await response.json());
  if (last.share < 1) return AT_ONCE;
  return document.hidden || last.state !== "training" ? SELDOM : EACH;
}

let timer;
let isAsking = false;

async function follow() {
  clearTimeout(timer);
  if (isAsking) return;
  isAsking = true;
  let wait = SELDOM;
  try {
    wait = await ask();
  } finally {
    isAsking = false;
    timer = setTimeout(follow, wait);
  }
}

const kept = JSON.parse(byId("data").textContent);
if (kept) take(kept);
else follow();
byId("others-place").addEventListener("toggle", showOthers);
document.addEventListener("visibilitychange", () => kept || document.hidden || follow());
