// The picture being worked on, the three places that keep one, and the tabs that make new ones.

import { arithmetic, lerp, slerp } from "./latents.js";
import { pictureAsText, pictureFromText } from "./link.js";
import { inMilliseconds, paint } from "./pictures.js";
import { Sliders } from "./sliders.js";

const FRAMES = 7;
const SECONDS_ONE_WAY = 3;
const element = (id) => document.getElementById(id);

export class Studio {
  /**
   * @param {import("./generator.js").Generator} generator
   * @param {{say: function(string), show: function(Picture), change: function()}} on `say` tells a
   *   screen reader, `show` takes each picture that is shown and stays, `change` comes when `state`
   *   has changed
   */
  constructor(generator, on) {
    this.on = on;
    this.generator = generator;
    this.kept = {};
    this.shown = null;
    this.wanted = null;
    this.isMade = false; // by the open tab from the kept pictures, not picked
    this.way = element("way");
    this.sliders = new Sliders(generator, (latent, isChanged) => {
      const { seed, title } = this.origin;
      const named = isChanged ? { title: `${title}, changed`, seed: undefined } : { title, seed };
      this.isMade = false;
      this.#draw({ ...(this.wanted ?? this.shown), ...named, latent });
    });
    this.tabs = [...document.querySelectorAll('[role="tab"]')];
    this.slots = Object.fromEntries(
      [...document.querySelectorAll(".slot")].map((slot) => [slot.dataset.slot, slot]),
    );
    this.frames = Array.from({ length: FRAMES }, (_, place) => this.#frame(place));
    element("strip").append(...this.frames.map(({ button }) => button));
    element("shown").style.setProperty("--ratio", generator.width / generator.height);
    this.#listen();
  }

  #listen() {
    for (const [name, slot] of Object.entries(this.slots)) {
      slot.addEventListener("click", () => this.keep(name, this.shown));
    }
    for (const tab of this.tabs) {
      tab.addEventListener("click", () => this.#open(tab));
      tab.addEventListener("keydown", (event) => this.#onTabKey(event));
    }
    this.way.addEventListener("input", () => {
      this.stop();
      this.#showBetween();
    });
    element("play").addEventListener("click", () => (this.playing ? this.stop() : this.#play()));
  }

  #frame(place) {
    const button = document.createElement("button");
    const canvas = document.createElement("canvas");
    const percent = Math.round((100 * place) / (FRAMES - 1));
    button.type = "button";
    button.className = "tile";
    button.setAttribute("aria-label", `${percent} % of the way from A to B`);
    button.append(canvas);
    button.addEventListener("click", () => {
      this.stop();
      this.way.value = percent;
      this.#showBetween();
    });
    return { button, canvas, share: place / (FRAMES - 1) };
  }

  /** Shows a picture that is drawn already; the sliders start from it. */
  pick(picture) {
    this.stop();
    this.wanted = null;
    this.#show(picture);
    this.#startSliders();
  }

  #startSliders() {
    this.isMade = false;
    this.origin = this.shown;
    this.sliders.start(this.shown.latent);
  }

  /** Keeps a picture in A, B or C. */
  keep(name, picture) {
    if (!picture) return;
    this.stop();
    this.kept[name] = picture;
    const slot = this.slots[name];
    const pictured = this.generator.caption(picture);
    for (const canvas of document.querySelectorAll(`[data-kept="${name}"]`)) {
      paint(canvas, picture.image);
    }
    slot.setAttribute("aria-label", `Keep as ${name}; now: ${pictured}`);
    this.on.say(`${name} is ${pictured}`);
    this.#remake(name);
    this.on.change();
  }

  /** Draws the shown picture in another class, or with other attributes. */
  relabel(label) {
    const picture = { ...(this.wanted ?? this.shown), label, blend: null };
    if (this.isMade) {
      this.isMade = false;
      this.origin = picture;
      this.sliders.start(picture.latent);
    }
    this.#draw(picture);
  }

  /** What is shown, kept and open, as text by name. */
  state() {
    const asText = (picture) => pictureAsText(this.generator, picture);
    const kept = Object.entries(this.kept).map(([name, picture]) => [name, asText(picture)]);
    const state = { ...Object.fromEntries(kept), tab: this.tab };
    if (this.tab === "between") state.way = this.way.value;
    if (this.isMade) return state;
    const { label, blend } = this.wanted ?? this.shown;
    state.picture = asText({ ...this.origin, label, blend });
    if (this.sliders.isChanged) state.moves = JSON.stringify(this.sliders.changes);
    return state;
  }

  /** Goes where `state` said; an Error where that is none of this model's. */
  async restore({ A, B, C, picture, tab, way, moves }) {
    const opened = this.tabs.find(({ id }) => id === `tab-${tab}`);
    if (!opened) throw new Error("no such tab");
    const texts = { A, B, C, ...(picture === undefined ? {} : { picture }) };
    const wanted = Object.values(texts).map((text) => pictureFromText(this.generator, text));
    const { images } = await this.generator.draw(wanted);
    const drawn = {};
    Object.keys(texts).forEach((name, place) => {
      drawn[name] = { ...wanted[place], image: images[place] };
    });
    ["A", "B", "C"].forEach((name) => this.keep(name, drawn[name]));
    if (way !== undefined) this.way.value = way;
    this.#open(opened);
    if (!drawn.picture) return;
    this.pick(drawn.picture);
    if (moves !== undefined) this.sliders.change(JSON.parse(moves));
  }

  get tab() {
    const isOpen = (tab) => tab.getAttribute("aria-selected") === "true";
    return this.tabs.find(isOpen).id.replace("tab-", "");
  }

  #open(tab) {
    this.stop();
    for (const other of this.tabs) {
      other.setAttribute("aria-selected", String(other === tab));
      other.tabIndex = other === tab ? 0 : -1;
      element(other.getAttribute("aria-controls")).hidden = other !== tab;
    }
    if (this.tab !== "sliders") this.#remake();
    else if (this.isMade) this.#startSliders();
    this.on.change();
  }

  #onTabKey(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const { length } = this.tabs;
    const next = this.tabs[(this.tabs.indexOf(event.currentTarget) + step + length) % length];
    next.focus();
    this.#open(next);
  }

  /** Updates what the open tab makes from the kept pictures; `name` is the one that changed. */
  #remake(name) {
    if (Object.keys(this.kept).length < 3) return;
    if (this.tab === "sum") this.#showSum();
    if (this.tab === "between" && name !== "C") {
      this.#fillStrip();
      this.#showBetween();
    }
  }

  /** The picture of a share of the way from A to B, not yet drawn. */
  between(share) {
    const { A, B } = this.kept;
    const along = this.generator.isNormal ? slerp : lerp;
    const percent = Math.round(100 * share);
    return {
      title: share === 0 ? A.title : share === 1 ? B.title : `${percent} % from A to B`,
      latent: along(A.latent, B.latent, share),
      ...this.#labelBetween(A.label, B.label, share),
    };
  }

  /** Attributes go over as numbers do. No class lies between two: both are drawn and mixed. */
  #labelBetween(one, other, share) {
    const { attributes } = this.generator;
    if (attributes) {
      // Two equal ends can have a rounding more than either between them.
      const label = lerp(one, other, share).map((number, place) => {
        const [low, high] = attributes[place].range;
        return Math.min(high, Math.max(low, number));
      });
      return { label, blend: null };
    }
    const blend = one === other ? null : this.#blend(share);
    return { label: share < 0.5 ? one : other, blend };
  }

  /** The class that is mixed in half way from A to B, and how much of it. */
  #blend(share) {
    const { A, B } = this.kept;
    return share < 0.5 ? { label: B.label, share } : { label: A.label, share: 1 - share };
  }

  async #fillStrip() {
    const wanted = this.frames.map(({ share }) => this.between(share));
    const { images } = await this.generator.draw(wanted);
    this.frames.forEach(({ canvas }, place) => paint(canvas, images[place]));
  }

  #showBetween() {
    const percent = Number(this.way.value);
    this.way.setAttribute("aria-valuetext", `${percent} %`);
    this.isMade = true;
    return this.#draw(this.between(percent / 100));
  }

  #showSum() {
    const { A, B, C } = this.kept;
    const latent = arithmetic(A.latent, B.latent, C.latent);
    this.isMade = true;
    return this.#draw({ title: "A − B + C", latent, label: A.label, blend: null });
  }

  async #play() {
    this.playing = {};
    const mine = this.playing;
    element("play").textContent = "Stop";
    const begun = performance.now() - (SECONDS_ONE_WAY * 1000 * Number(this.way.value)) / 100;
    while (this.playing === mine) {
      const turns = (performance.now() - begun) / (SECONDS_ONE_WAY * 1000);
      this.way.value = 100 * (1 - Math.abs(1 - (turns % 2)));
      await this.#showBetween();
      await new Promise(requestAnimationFrame);
    }
  }

  /** Ends the animation. */
  stop() {
    if (this.playing) this.on.change();
    this.playing = null;
    element("play").textContent = "Play";
  }

  /** Draws and shows a picture; of those asked for meanwhile, only the last is drawn. */
  async #draw(wanted) {
    this.wanted = wanted;
    this.drawing ??= this.#drawWanted().finally(() => (this.drawing = null));
    return this.drawing;
  }

  async #drawWanted() {
    while (this.wanted) {
      const picture = this.wanted;
      const { images, milliseconds } = await this.generator.draw([picture]);
      if (!this.wanted) return; // another picture was picked meanwhile
      if (this.wanted === picture) this.wanted = null;
      element("time").textContent =
        `1 picture in ${inMilliseconds(milliseconds)}, ${this.generator.machine}`;
      this.#show({ ...picture, image: images[0] });
    }
  }

  #show(picture) {
    this.shown = picture;
    const caption = this.generator.caption(picture);
    paint(element("shown"), picture.image);
    element("shown").setAttribute("aria-label", caption);
    element("caption").textContent = caption;
    if (this.wanted) return;
    this.on.show(picture);
    if (!this.playing) this.on.change();
  }
}
