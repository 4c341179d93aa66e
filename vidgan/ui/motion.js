// How it moves: label, noise and further parts; and how much of the picture enters at each level.

class Motion {
  constructor(tab) {
    Object.assign(this, { tab, store: tab.store, element: tab.find("motion"), part: 0 });
  }
  build({ labels }) {
    const { store, element } = this;
    this.part = 0;
    this.seed = make("input", {
      class: "vg-seed", inputmode: "numeric", autocomplete: "off", spellcheck: "false", maxlength: 40, "aria-label": "Moves: seed",
      onchange: () => store.change("seed", { kind: "seed", seed: this.seed.value }, element),
    });
    const dice = icon(make("button", {
      type: "button", class: "vg-button vg-icon", "aria-label": "Moves: another seed", title: "Another seed (r)", onclick: () => this.redraw(),
    }), "dice");
    this.labels = labels.length ? new Labels(store, labels, (weights) => ({ kind: "label", weights, part: this.part }), () => element) : null;
    this.next = make("select", { "aria-label": "Label of the next part" }, ...labels.map((name) => make("option", { value: name }, inWords(name))));
    this.more = make("button", { type: "button", class: "vg-button", title: "A further part, which begins with the last frame", onclick: () => this.goOn() }, "Continue");
    this.parts = make("div", { class: "vg-row va-parts", role: "group", "aria-label": "Parts" });
    element.replaceChildren(
      make("div", { class: "vg-panel-head" }, make("h2", {}, "Moves"), make("small", { class: "vg-quiet" }, "label and noise z"), make("span", { class: "vg-grow" }), dice),
      this.parts,
      ...(this.labels ? [this.labels.element] : []),
      make("div", { class: "vg-row vg-seed-row" }, make("label", { class: "vg-inline" }, "Seed ", this.seed)),
      make("p", { class: "vg-error", role: "alert", hidden: true }),
      make("div", { class: "vg-row" }, this.more, make("label", { class: "vg-inline", hidden: !labels.length }, "with ", this.next)));
    if (labels.length > 1) this.next.selectedIndex = labels.length - 1;
  }
  redraw() {
    this.store.change("seed", { kind: "seed", seed: randomSeed() }, this.element);
  }
  async goOn() {
    this.store.change("parts", { kind: "continue", label: this.next.value }, this.element);
    const before = this.store.point.parts.length;
    await this.store.idle();
    if (this.store.point.parts.length > before) this.pick(before);
  }
  // The part whose label the chips choose, from its first frame on
  pick(part) {
    this.part = part;
    this.show(this.store.point);
    this.tab.clock.seek(this.store.point.starts[part]);
  }
  show(point) {
    this.part = Math.min(this.part, point.parts.length - 1);
    if (document.activeElement !== this.seed || !this.store.waiting.size) this.seed.value = point.seed ?? "";
    this.labels?.show(point.labels[this.part]);
    const many = point.parts.length > 1, last = point.parts.length - 1;
    this.parts.hidden = !many;
    this.parts.replaceChildren(...point.parts.map((text, i) => make("button", {
      type: "button", class: "vg-chip", "aria-pressed": String(i === this.part), title: "Show this part, and choose its label",
      onclick: () => this.pick(i),
    }, `${i + 1} ${!text ? "" : text.includes("=") ? "blend" : text}`)),
    many ? make("button", {
      type: "button", class: "vg-plain", "aria-label": `Take part ${last + 1} away`,
      onclick: () => this.store.change("parts", { kind: "cut", part: last }, this.element),
    }, "Take the last away") : "");
  }
}

class Skips {
  constructor(tab) {
    Object.assign(this, { tab, store: tab.store, element: tab.find("skips") });
  }
  build({ levels }) {
    const { store, element } = this;
    element.hidden = !levels.length;
    const notes = ["coarse", "", "", "fine"];
    this.sliders = levels.map((side, level) => slider(store, {
      key: "fusion", name: `${side}×${side}`, note: ` ${notes[level]}`, label: `Appearance skip ${side}×${side}`,
      low: 0, high: 1, step: 0.01, title: "How much of the picture enters here. Double click: all of it",
      what: (value) => this.change(level, value), reset: () => this.change(level, 1),
    }));
    this.reset = make("button", { type: "button", class: "vg-plain", "aria-label": "Appearance skips: reset", onclick: () => store.change("fusion", { kind: "fusion", values: levels.map(() => 1) }, element) }, "Reset");
    element.replaceChildren(
      make("div", { class: "vg-panel-head" }, make("h2", {}, "Picture enters"), make("small", { class: "vg-quiet" }, "appearance skips"), make("span", { class: "vg-grow" }), this.reset),
      make("div", { class: "vg-sliders" }, ...this.sliders.map((one) => one.row)),
      make("p", { class: "vg-error", role: "alert", hidden: true }),
      make("div", { class: "vg-row" }, make("button", { type: "button", class: "vg-button", onclick: () => this.tab.gallery.open("skips") }, "Turn off one after the other")));
  }
  change(level, value) {
    const values = this.sliders.map((one, i) => (i === level ? value : Number(one.input.value)));
    return { kind: "fusion", values };
  }
  show(point) {
    point.fusion.forEach((value, level) => this.sliders[level]?.set(value));
    this.reset.disabled = point.fusion.every((value) => value === 1);
  }
}
