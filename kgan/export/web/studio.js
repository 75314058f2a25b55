// The picture being worked on, the three places that keep one, and the tabs that make new ones.

import { arithmetic, lerp, slerp } from "./latents.js";
import { inMilliseconds, paint, save } from "./pictures.js";
import { Sliders } from "./sliders.js";

const FRAMES = 7;
const SECONDS_ONE_WAY = 3;
const element = (id) => document.getElementById(id);

export class Studio {
  /**
   * @param {import("./generator.js").Generator} generator
   * @param {function(string)} say tells a screen reader
   * @param {function(Picture)} onShow takes each picture that is shown and stays
   */
  constructor(generator, say, onShow) {
    this.onShow = onShow;
    this.generator = generator;
    this.say = say;
    this.kept = {};
    this.shown = null;
    this.wanted = null;
    this.way = element("way");
    this.sliders = new Sliders(generator, (latent, isChanged) => {
      const title = isChanged ? `${this.origin.title}, changed` : this.origin.title;
      this.#draw({ ...(this.wanted ?? this.shown), latent, title });
    });
    this.tabs = [...document.querySelectorAll('[role="tab"]')];
    this.slots = Object.fromEntries(
      [...document.querySelectorAll(".slot")].map((slot) => [slot.dataset.slot, slot]),
    );
    this.frames = Array.from({ length: FRAMES }, (_, place) => this.#frame(place));
    element("strip").append(...this.frames.map(({ button }) => button));
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
    element("save").addEventListener("click", () => {
      save(element("shown"), this.generator.manifest.name, ...this.#caption().split("·"));
    });
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
    this.origin = this.shown;
    this.sliders.start(this.shown.latent);
  }

  /** Keeps a picture in A, B or C. */
  keep(name, picture) {
    if (!picture) return;
    this.stop();
    this.kept[name] = picture;
    const slot = this.slots[name];
    const pictured = this.#caption(picture);
    for (const canvas of document.querySelectorAll(`[data-kept="${name}"]`)) {
      paint(canvas, picture.image);
    }
    slot.setAttribute("aria-label", `Keep as ${name}; now: ${pictured}`);
    this.say(`${name} is ${pictured}`);
    this.#remake(name);
  }

  /** Draws the shown picture in another class, or with other attributes. */
  relabel(label) {
    this.#draw({ ...(this.wanted ?? this.shown), label, blend: null });
  }

  get tab() {
    return this.tabs.find((tab) => tab.getAttribute("aria-selected") === "true").id;
  }

  #open(tab) {
    this.stop();
    for (const other of this.tabs) {
      other.setAttribute("aria-selected", String(other === tab));
      other.tabIndex = other === tab ? 0 : -1;
      element(other.getAttribute("aria-controls")).hidden = other !== tab;
    }
    if (tab.id === "tab-sliders") this.#startSliders();
    else this.#remake();
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
    if (this.tab === "tab-sum") this.#showSum();
    if (this.tab === "tab-between" && name !== "C") {
      this.#fillStrip();
      this.#showBetween();
    }
  }

  #between(share) {
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
    if (this.generator.attributes) return { label: lerp(one, other, share), blend: null };
    const blend = one === other ? null : this.#blend(share);
    return { label: share < 0.5 ? one : other, blend };
  }

  /** The class that is mixed in half way from A to B, and how much of it. */
  #blend(share) {
    const { A, B } = this.kept;
    return share < 0.5 ? { label: B.label, share } : { label: A.label, share: 1 - share };
  }

  async #fillStrip() {
    const wanted = this.frames.map(({ share }) => this.#between(share));
    const { images } = await this.generator.draw(wanted);
    this.frames.forEach(({ canvas }, place) => paint(canvas, images[place]));
  }

  #showBetween() {
    const percent = Number(this.way.value);
    this.way.setAttribute("aria-valuetext", `${percent} %`);
    return this.#draw(this.#between(percent / 100));
  }

  #showSum() {
    const { A, B, C } = this.kept;
    const latent = arithmetic(A.latent, B.latent, C.latent);
    return this.#draw({ title: "A − B + C", latent, label: A.label });
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
      element("time").textContent = `1 picture in ${inMilliseconds(milliseconds)}`;
      this.#show({ ...picture, image: images[0] });
    }
  }

  #show(picture) {
    this.shown = picture;
    paint(element("shown"), picture.image);
    element("shown").setAttribute("aria-label", this.#caption());
    element("caption").textContent = this.#caption();
    if (!this.wanted) this.onShow(picture);
  }

  #caption(picture = this.shown) {
    return this.generator.caption(picture);
  }
}
