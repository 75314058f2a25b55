// The newest sheet of samples beside an earlier one.

class Sheets {
  constructor() {
    this.all = []; // [[step, address], ...]
    this.chosen = null; // the step of the earlier one; sheets between are removed as a run goes on
    this.which = document.getElementById("which");
    this.which.addEventListener("input", () => {
      this.chosen = this.all[Number(this.which.value)][0];
      this.showEarlier();
    });
  }

  show(all) {
    this.all = all;
    document.getElementById("samples").hidden = !all.length;
    if (!all.length) return;
    const [step, address] = all.at(-1);
    const caption = `Newest: step ${count(step)}`;
    put("newest", address, `Samples at step ${count(step)}`, () => {
      document.getElementById("newest-step").textContent = caption;
    });
    document.getElementById("earlier-place").hidden = all.length < 2;
    if (all.length < 2) return;
    this.which.max = String(all.length - 2);
    this.which.value = String(this.place());
    this.showEarlier();
  }

  /** Of the chosen step, or of the last before it that is still there. */
  place() {
    const chosen = this.chosen ?? this.all[0][0];
    const before = this.all.filter(([step]) => step <= chosen).length - 1;
    return Math.min(Math.max(0, before), this.all.length - 2);
  }

  showEarlier() {
    const [step, address] = this.all[Number(this.which.value)];
    const words = `step ${count(step)}`;
    this.which.setAttribute("aria-valuetext", words);
    document.getElementById("earlier-step").textContent = `Earlier: ${words}`;
    put("earlier", address, `Samples at ${words}`);
  }
}

/** Shows a picture when it is loaded, so that nothing flickers; the last one that was asked for. */
function put(id, address, words, done = () => {}) {
  const shown = document.getElementById(id);
  if (shown.dataset.wanted === address) return;
  shown.dataset.wanted = address;
  const picture = new Image();
  picture.addEventListener("load", () => {
    if (shown.dataset.wanted !== address) return;
    shown.src = address;
    shown.alt = words;
    shown.classList.toggle("pixelated", picture.naturalWidth < 2 * shown.clientWidth);
    done();
  });
  // It has been removed since it was named; the next answer names others.
  picture.addEventListener("error", () => delete shown.dataset.wanted);
  picture.src = address;
}
