// The grid of samples: one picture per seed, from the first seed on.

import { inMilliseconds, paint, save, sheet } from "./pictures.js";

// Small enough that the first pictures show at once and a slider never waits long.
const BATCH = 6;

export class Grid {
  /**
   * @param {import("./generator.js").Generator} generator
   * @param {{pick: function(Picture), keep: function(string, Picture), say: function(string)}} on
   */
  constructor(generator, on) {
    this.generator = generator;
    this.on = on;
    this.element = document.getElementById("grid");
    this.time = document.getElementById("grid-time");
    this.seed = 0;
    this.label = null;
    this.picked = 0;
    this.round = 0;
    const isWide = (pixels) => matchMedia(`(min-width: ${pixels}px)`).matches;
    this.columns = isWide(960) ? 8 : isWide(600) ? 6 : 4;
    this.count = isWide(600) ? 24 : 12;
    this.element.style.setProperty("--columns", this.columns);
    this.tiles = Array.from({ length: this.count }, (_, place) => this.#tile(place));
    this.element.append(...this.tiles.map(({ button }) => button));
    this.element.addEventListener("keydown", (event) => this.#onKey(event));
  }

  #tile(place) {
    const button = document.createElement("button");
    const canvas = document.createElement("canvas");
    canvas.width = this.generator.width;
    canvas.height = this.generator.height;
    button.type = "button";
    button.className = "tile";
    button.setAttribute("aria-pressed", "false");
    button.append(canvas);
    button.addEventListener("click", () => this.pick(place));
    return { button, canvas, picture: null };
  }

  /** Draws the pictures of `count` seeds from `seed` on; a later call stops an earlier one. */
  async draw() {
    const round = ++this.round;
    const { generator, label, seed } = this;
    this.element.setAttribute("aria-busy", "true");
    let total = 0;
    for (let start = 0; start < this.count; start += BATCH) {
      const tiles = this.tiles.slice(start, start + BATCH);
      const wanted = tiles.map((_, place) => generator.ofSeed(seed + start + place, label));
      const { images, milliseconds } = await generator.draw(wanted);
      if (round !== this.round) return false;
      total += milliseconds;
      tiles.forEach((tile, place) => {
        this.#fill(tile, { ...wanted[place], image: images[place] });
      });
    }
    this.element.setAttribute("aria-busy", "false");
    const each = inMilliseconds(total / this.count);
    this.time.textContent =
      `${this.count} pictures in ${inMilliseconds(total)}, ${each} each, ${generator.machine}`;
    this.on.say(`Drew seeds ${seed} to ${seed + this.count - 1}`);
    return true;
  }

  #fill(tile, picture) {
    tile.picture = picture;
    paint(tile.canvas, picture.image);
    const name = this.generator.caption(picture).replaceAll(" · ", ", ");
    tile.button.setAttribute("aria-label", name);
    tile.button.title = name;
  }

  /** Makes a tile's picture the one being worked on. */
  pick(place) {
    const { picture } = this.tiles[place];
    if (!picture) return;
    this.#mark(place);
    this.on.pick(picture);
  }

  /** Marks the tile of a picture from elsewhere, or none. */
  find(seed) {
    const place = seed - this.seed;
    this.#mark(place in this.tiles ? place : null);
  }

  #mark(place) {
    this.tiles.forEach(({ button }, other) => {
      button.setAttribute("aria-pressed", String(other === place));
    });
    this.picked = place ?? this.picked;
    this.#stopTabAt(this.picked);
  }

  /** Tab reaches only one tile, the last one used; arrow keys go to the others. */
  #stopTabAt(place) {
    this.tiles.forEach(({ button }, other) => (button.tabIndex = other === place ? 0 : -1));
  }

  #onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const here = this.tiles.findIndex(({ button }) => button === document.activeElement);
    const steps = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -this.columns,
      ArrowDown: this.columns,
      Home: -here,
      End: this.count - 1 - here,
    };
    const slot = event.key.toUpperCase();
    if (event.key in steps) {
      const there = here + steps[event.key];
      if (there in this.tiles) {
        this.#stopTabAt(there);
        this.tiles[there].button.focus();
      }
    } else if (["A", "B", "C"].includes(slot) && this.tiles[here].picture) {
      this.on.keep(slot, this.tiles[here].picture);
    } else return;
    event.preventDefault();
  }

  /** Saves all pictures as one PNG. */
  async save() {
    const images = this.tiles.map(({ picture }) => picture.image);
    const last = this.seed + this.count - 1;
    const canvas = sheet(images, this.columns, this.generator.hasAlpha);
    await save(canvas, this.generator.manifest.name, "seeds", this.seed, "to", last);
  }
}
