// The two handles: who it is, how it moves. One panel for each latent subspace, built from what the release says.

const TITLES = {
  appearance: ["Who", "appearance"],
  motion: ["Moves", "motion"],
  content: ["What", "content"],
  noise: ["Chance", "noise"],
};

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

// Drawn by hand, 16 units square, so that no font has to have them
const ICONS = {
  play: '<path d="M4 2.5v11l9.5-5.5z" fill="currentColor" stroke="none"/>',
  pause: '<path d="M5 3v10M11 3v10" stroke-width="2.6"/>',
  undo: '<path d="M3 6h6.5a3.5 3.5 0 0 1 0 7H6M3 6l3-3M3 6l3 3"/>',
  redo: '<path d="M13 6H6.5a3.5 3.5 0 0 0 0 7H10M13 6l-3-3M13 6l-3 3"/>',
  dice: '<rect x="2" y="2" width="12" height="12" rx="3"/><path d="M5.5 5.5h.01M10.5 5.5h.01M8 8h.01M5.5 10.5h.01M10.5 10.5h.01" stroke-width="2.2"/>',
  open: '<rect x="3" y="7" width="10" height="7" rx="1.5"/><path d="M5.5 7V4.6a2.6 2.6 0 0 1 5-1"/>',
  locked: '<rect x="3" y="7" width="10" height="7" rx="1.5" fill="currentColor"/><path d="M5.5 7V4.8a2.5 2.5 0 0 1 5 0V7"/>',
};

function icon(button, name) {
  button.innerHTML = `<svg viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${ICONS[name]}</svg>`;
  return button;
}

function percent(share) {
  const value = 100 * share;
  return value >= 0.95 ? `${Math.round(value)}%` : `${value.toFixed(1)}%`;
}

function randomSeed() {
  return String(crypto.getRandomValues(new Uint32Array(1))[0] % 100000);
}

// A slider that tells the store while it moves. `options`: key, name, note, low, high, step, what(value) -> change
function slider(store, options) {
  const { key, name, note = "", low, high, step } = options;
  const output = make("output", { class: "vg-number" });
  const input = make("input", { type: "range", min: low, max: high, step, "aria-label": options.label || name });
  const row = make("label", { class: "vg-slider" }, make("span", { class: "vg-name" }, name, make("small", {}, note)), input, output);
  const error = make("p", { class: "vg-error", role: "alert", hidden: true });
  const show = (value) => {
    output.textContent = options.format ? options.format(value) : Number(value).toFixed(2);
    input.setAttribute("aria-valuetext", output.textContent);
    input.style.setProperty("--fill", `${(100 * (value - low)) / (high - low)}%`);
  };
  input.addEventListener("pointerdown", () => {
    store.held = input;
    const up = () => {
      store.held = false;
      store.settle();
      removeEventListener("pointerup", up);
      removeEventListener("pointercancel", up);
    };
    addEventListener("pointerup", up);
    addEventListener("pointercancel", up);
  });
  input.addEventListener("input", () => {
    show(Number(input.value));
    store.change(key, options.what(Number(input.value)), row);
  });
  if (options.reset)
    row.addEventListener("dblclick", (event) => {
      event.preventDefault();
      store.change(key, options.reset, row);
    });
  row.title = options.title || "";
  return {
    row, input, error,
    set(value) {
      if (store.held === input || store.waiting.has(key)) return;
      const held = Math.max(low, Math.min(high, value));
      if (Number(input.value) !== held) input.value = held;
      show(value);
    },
  };
}

class Panel {
  constructor(page, space) {
    Object.assign(this, { page, store: page.store, space, locked: false, parts: [] });
    const [title, term] = TITLES[space.role] || [space.name, space.role];
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
    const mathematical = `z${{ appearance: "ₐ", motion: "ₘ" }[space.role] || ""}`;
    this.element = make("section", { class: "vg-panel", "aria-label": `${title} (${term})`, "data-space": space.name },
      make("div", { class: "vg-panel-head" },
        make("h2", {}, title), make("small", { class: "vg-quiet" }, `${term} ${mathematical}, ${space.dim}-d`),
        make("span", { class: "vg-grow" }), this.dice, this.lock),
      space.role === "motion" && page.store.about.labels.length ? this.labels() : null,
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
  labels() {
    const store = this.store, names = store.about.labels;
    const send = (weights, from) => store.change("label", { kind: "label", weights }, from);
    this.mix = null; // where the hand has put the weights: the point knows them scaled to a sum of 1
    this.chips = names.map((name, i) => make("button", {
      type: "button", class: "vg-chip", "aria-pressed": "false", title: i < 9 ? `${i + 1}` : "",
      onclick: () => {
        this.mix = null;
        send({ [name]: 1 }, this.element);
      },
    }, name));
    this.weights = names.map((name) => slider(store, {
      key: "label", name, label: `Weight of ${name}`, low: 0, high: 1, step: 0.01, format: (value) => `${Math.round(100 * value)}%`,
      what: (value) => {
        const weights = Object.fromEntries(names.map((other, i) => [other, Number(this.weights[i].input.value)]));
        weights[name] = value;
        if (!Object.values(weights).some((weight) => weight > 0)) weights[name] = 0.01;
        this.mix = names.map((other) => weights[other]);
        return { kind: "label", weights };
      },
    }));
    return make("div", { class: "vg-labels" },
      make("div", { class: "vg-chips", role: "group", "aria-label": "Label" }, ...this.chips),
      make("details", { class: "vg-fold" }, make("summary", {}, "Blend"),
        make("div", { class: "vg-sliders" }, ...this.weights.map((one) => one.row))));
  }
  show(point) {
    const mine = point.spaces[this.space.name];
    if (document.activeElement !== this.seed || !this.store.waiting.size) this.seed.value = mine.seed ?? "";
    this.seed.placeholder = mine.seed === null ? "none" : "";
    this.note.textContent = mine.edited ? "moved by hand" : "";
    this.reset.disabled = !mine.edited || mine.seed === null;
    this.truncation.set(mine.truncation);
    for (const { family, index, made } of this.parts) if (mine[family].length) made.set(mine[family][index]);
    if (!this.chips) return;
    const total = point.label.reduce((sum, weight) => sum + weight, 0) || 1;
    point.label.forEach((weight, i) => {
      this.chips[i].setAttribute("aria-pressed", weight === total);
      this.chips[i].style.setProperty("--weight", weight / total);
    });
    const sum = this.mix?.reduce((all, weight) => all + weight, 0);
    const same = this.mix?.every((weight, i) => Math.abs(weight / sum - point.label[i]) < 1e-4);
    (same ? this.mix : point.label).forEach((weight, i) => this.weights[i].set(weight));
  }
}

// The two ends of a slider, shown while the pointer rests on it.
class Peek {
  constructor(page, element) {
    Object.assign(this, { page, element, kept: new Map(), strip: null });
    this.ends = ["left", "right"].map((side) => make("canvas", { class: `vg-end vg-${side}` }));
    element.append(...this.ends);
    page.clock.painters.add(() => this.paint());
    page.store.addEventListener("hand", () => this.hide());
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
    this.ends.forEach((canvas, i) => {
      if (canvas.width !== side) Object.assign(canvas, { width: side, height: side });
      canvas.getContext("2d").drawImage(this.strip, (this.page.clock.tick % frames) * side, i * side, side, side, 0, 0, side, side);
    });
  }
}
