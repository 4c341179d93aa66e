// The two handles: who it is, how it moves. One panel for each latent subspace, built from what the release says.

class Panel {
  constructor(page, space, spaces) {
    Object.assign(this, { page, store: page.store, space, locked: false, parts: [] });
    const { title, term } = named(space, spaces);
    this.title = title;
    const store = this.store;
    this.seed = make("input", {
      class: "vg-seed", inputmode: "numeric", autocomplete: "off", spellcheck: "false", maxlength: 40,
      "aria-label": `${title}: seed`,
      onchange: () => store.change(`seed.${space.name}`, { kind: "seed", space: space.name, seed: this.seed.value }, this.element),
    });
    this.note = make("span", { class: "vg-edited vg-quiet" });
    this.dice = icon(make("button", {
      type: "button", class: "vg-button vg-icon", "aria-label": `${title}: another seed`, title: "Another seed",
      onclick: () => this.redraw(),
    }), "dice");
    this.lock = make("button", {
      type: "button", class: "vg-button vg-icon vg-lock", "aria-pressed": "false", "aria-label": `${title}: keep as it is`,
      title: "Keep: nothing but your own hand on its sliders changes it", onclick: () => this.setLock(!this.locked),
    });
    this.reset = make("button", {
      type: "button", class: "vg-plain", "aria-label": `${title}: reset`, title: "Back to what the seed gives",
      onclick: () => store.change(`reset.${space.name}`, { kind: "reset", space: space.name }, this.element),
    }, "Reset");
    this.truncation = slider(store, {
      key: `truncation.${space.name}`, name: "truncation", label: `${title}: truncation`, low: 0, high: 1.5, step: 0.01,
      title: "Below 1: closer to the average. Double click: back to 1",
      what: (value) => ({ kind: "truncation", space: space.name, value }),
      reset: { kind: "truncation", space: space.name, value: 1 },
    });
    this.top = make("div", { class: "vg-sliders" });
    this.raw = make("div", { class: "vg-sliders vg-raw" });
    this.all = make("details", { class: "vg-fold" },
      make("summary", {}, `All ${space.dim} dimensions`), this.raw);
    this.all.addEventListener("toggle", () => this.fillRaw());
    this.error = make("p", { class: "vg-error", role: "alert", hidden: true });
    const bearer = spaces.find(({ role }) => role === "motion") ?? spaces[0]; // what is done is told once
    const names = space === bearer ? store.about.labels : [];
    if (names.length) this.labels = new Labels(store, names, (weights) => ({ kind: "label", weights }), () => this.element);
    this.element = make("section", { class: "vg-panel", "aria-label": `${title} (${space.role})`, "data-space": space.name },
      make("div", { class: "vg-panel-head" },
        make("h2", {}, title), make("small", { class: "vg-quiet" }, term),
        make("span", { class: "vg-grow" }), this.dice, this.lock),
      this.labels?.element ?? null,
      make("div", { class: "vg-row vg-seed-row" }, make("label", { class: "vg-inline" }, "Seed ", this.seed), this.note, make("span", { class: "vg-grow" }), this.reset),
      this.error, make("div", { class: "vg-sliders" }, this.truncation.row), this.top, this.all);
    this.setLock(false);
    this.fillTop();
  }
  setLock(on) {
    this.locked = on;
    icon(this.lock, on ? "locked" : "open");
    this.lock.setAttribute("aria-pressed", on);
    this.dice.disabled = on;
    this.element.classList.toggle("vg-locked", on);
  }
  redraw() {
    if (this.locked) return;
    const { name } = this.space;
    this.store.change(`seed.${name}`, { kind: "seed", space: name, seed: randomSeed() }, this.element);
  }
  slide(family, index, text, note, title) {
    const { name } = this.space;
    const made = slider(this.store, {
      key: `${family}.${name}.${index}`, name: text, note, title, label: `${this.title}: ${text}`,
      low: -this.store.about.reach, high: this.store.about.reach, step: 0.02,
      what: (value) => ({ kind: "move", space: name, family, index, value }),
      reset: { kind: "origin", space: name, family, index },
    });
    if (family === "directions") this.page.peek.watch(made, { space: name, family, index });
    this.parts.push({ family, index, made });
    return made.row;
  }
  fillTop() {
    this.parts = this.parts.filter((part) => part.family !== "directions");
    const shares = this.space.directions;
    if (shares && shares.length) {
      this.top.replaceChildren(...shares.map((share, i) => this.slide("directions", i, `direction ${i + 1}`, ` changes ${percent(share)}`,
        `One of the ${shares.length} strongest: ${percent(share)} of all that this half changes in the picture. Double click: back to the seed's value`)));
    } else if (this.store.about.searching) {
      this.search = make("progress", { max: 1, value: 0, "aria-label": "Looking for the strongest directions" });
      this.top.replaceChildren(make("p", { class: "vg-quiet vg-searching" }, "Looking for the strongest directions…", this.search));
    } else {
      this.top.replaceChildren();
      this.all.open = true;
    }
  }
  fillRaw() {
    if (!this.all.open || this.raw.childElementCount) return;
    const rows = Array.from({ length: this.space.dim }, (_, i) =>
      this.slide("dimensions", i, `${i + 1}`, "", "Double click: back to the seed's value"));
    this.raw.replaceChildren(...rows);
    this.show(this.store.point);
  }
  show(point) {
    const mine = point.spaces[this.space.name];
    if (document.activeElement !== this.seed || !this.store.waiting.size) this.seed.value = mine.seed ?? "";
    this.seed.placeholder = mine.seed === null ? "none" : "";
    this.note.textContent = mine.edited ? "moved by hand" : "";
    this.reset.disabled = !mine.edited || mine.seed === null;
    this.truncation.set(mine.truncation);
    for (const { family, index, made } of this.parts) if (mine[family].length) made.set(mine[family][index]);
    this.labels?.show(point.label);
  }
}

// The two ends of a slider, shown while the pointer rests on it.
class Peek {
  constructor(page, element) {
    Object.assign(this, { page, element, kept: new Map(), strip: null });
    this.ends = ["left", "right"].map((side) => make("canvas", { class: `vg-end vg-${side}` }));
    element.append(...this.ends);
    page.clock.painters.add(() => this.paint());
    page.on("hand", () => this.hide());
  }
  watch(made, what) {
    if (!matchMedia("(hover: hover)").matches) return;
    made.input.addEventListener("pointerenter", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.open(made.row, made.input, what), 350);
    });
    made.input.addEventListener("pointerleave", () => this.hide());
  }
  async open(row, input, what) {
    const { store } = this.page;
    if (store.held || store.busy) return;
    const token = (this.token = {});
    const key = JSON.stringify([store.point.query, what]);
    try {
      if (!this.kept.has(key)) {
        const { strip } = await store.ask("ends", { query: store.point.query, ...what });
        if (this.kept.size > 60) this.kept.clear();
        this.kept.set(key, await decodeStrip(strip));
      }
    } catch {
      return; // a nicety: its absence needs no words
    }
    if (token !== this.token || store.held) return;
    this.strip = this.kept.get(key);
    const box = input.getBoundingClientRect(), home = this.page.root.getBoundingClientRect();
    this.element.style.left = `${box.left - home.left}px`;
    this.element.style.width = `${box.width}px`;
    this.element.style.top = `${box.top - home.top}px`;
    this.element.hidden = false;
    this.paint();
  }
  hide() {
    clearTimeout(this.timer);
    this.token = null;
    this.element.hidden = true;
    this.strip = null;
  }
  paint() {
    if (!this.strip) return;
    const side = this.strip.height / 2, frames = Math.max(1, Math.round(this.strip.width / side));
    const frame = Math.floor(this.page.clock.tick / this.page.player.hold);
    this.ends.forEach((canvas, i) => {
      if (canvas.width !== side) Object.assign(canvas, { width: side, height: side });
      canvas.getContext("2d").drawImage(this.strip, (frame % frames) * side, i * side, side, side, 0, 0, side, side);
    });
  }
}
