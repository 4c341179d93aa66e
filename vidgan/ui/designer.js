// A face from its factors, for whoever has no picture: people whom the network has never seen, drawn as those were that
// it has.

class Designer {
  constructor(tab) {
    Object.assign(this, { tab, store: tab.store, element: tab.find("designer"), controls: new Map() });
    this.draw = newest((factors) => this.request(factors));
  }
  build({ designer, people }) {
    this.people = people;
    this.element.hidden = !designer.length;
    this.controls.clear();
    const rows = designer.map(({ name, title, meaning, choices }) => {
      if (!choices.length) {
        const made = slider(this.store, { key: `face.${name}`, name: title, label: `Face: ${title}`, low: 0, high: 1, step: 0.01, title: meaning, input: () => this.draw(this.factors) });
        this.controls.set(name, { get: () => Number(made.input.value), set: (value) => made.set(value) });
        return made.row;
      }
      const select = make("select", { "aria-label": `Face: ${title}`, onchange: () => this.draw(this.factors) },
        ...choices.map((choice, i) => make("option", { value: i }, choice)));
      this.controls.set(name, { get: () => Number(select.value), set: (value) => (select.value = value) });
      return make("label", { class: "vg-slider va-choice", title: meaning }, make("span", { class: "vg-name" }, title), select);
    });
    const dice = icon(make("button", { type: "button", class: "vg-button vg-icon", "aria-label": "Anybody", title: "Anybody", onclick: () => this.draw(null) }), "dice");
    this.element.replaceChildren(
      make("summary", {}, "Draw a face"),
      make("div", { class: "vg-row" }, dice, make("span", { class: "vg-quiet" }, "anybody, or by hand:")),
      make("div", { class: "vg-sliders va-factors" }, ...rows));
    if (designer.length) this.person(0);
  }
  get factors() {
    return Object.fromEntries([...this.controls].map(([name, control]) => [name, control.get()]));
  }
  set factors(values) {
    for (const [name, value] of Object.entries(values)) this.controls.get(name)?.set(value);
  }
  // The controls become those of somebody in the examples.
  person(index) {
    if (this.people[index]) this.factors = this.people[index];
  }
  async request(factors) {
    this.store.tell("hand");
    try {
      const answer = await this.store.ask("face", { release: this.store.about.release, factors });
      if (!factors) this.factors = answer.factors;
      await this.tab.crop.useImage(answer.image);
    } catch (error) {
      this.tab.complain(error.message, this.element);
      this.store.settle();
    }
  }
}
