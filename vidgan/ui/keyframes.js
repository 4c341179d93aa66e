// The keyframes of a walk: small clips in a row; the tools below them are for the chosen one.

class Keyframes extends Clips {
  constructor(tab) {
    super(tab, tab.find("keys"));
    this.chosen = 1;
    tab.on("settled", () => tab.walk && this.tools());
  }
  build(labels) {
    this.chosen = 1;
    this.labels = labels;
    const tool = (text, title, click) => make("button", { type: "button", class: "vg-button", title, onclick: click }, text);
    this.name = make("strong", {});
    this.label = make("select", { "aria-label": "Label of the keyframe", hidden: !labels.length, onchange: () => this.relabel(this.label.value) });
    this.earlier = tool("←", "Earlier on the way", () => this.move(-1));
    this.later = tool("→", "Later on the way", () => this.move(1));
    for (const one of [this.earlier, this.later]) one.setAttribute("aria-label", one.title);
    this.remove = tool("Remove", "Take this keyframe off the way", () => this.set(this.points.filter((_, i) => i !== this.chosen)));
    this.places = make("div", { class: "vg-history vi-places", role: "group", "aria-label": "Where you have been" });
    this.link = make("input", {
      class: "vg-seed vi-link", placeholder: "or the link of a clip", spellcheck: "false", autocomplete: "off", "aria-label": "Link of a clip",
      onchange: () => this.become(this.link.value.replace(/^[^?]*\?/, "").replace(/#.*/, "")),
    });
    this.tab.find("tools").replaceChildren(
      make("div", { class: "vg-row" }, this.name, "becomes",
        tool("Current clip", "What the player shows", () => this.become(this.store.point.query)),
        tool("Random", "Anybody (r)", () => this.redraw()), this.label, make("span", { class: "vg-grow" }), this.earlier, this.later, this.remove),
      make("details", { class: "vg-fold" }, make("summary", {}, "A bookmark: one from before, or a link"), make("div", { class: "vi-before" }, this.places, this.link)));
  }
  get points() {
    return this.tab.wish.points;
  }
  set(points) {
    this.tab.change({ points }, this.element);
  }
  become(query) {
    this.set(this.points.map((one, i) => (i === this.chosen ? query : one)));
  }
  async redraw() {
    const { chosen } = this;
    try {
      const query = await this.tab.during(() => this.random(this.points[0]));
      if (chosen === this.chosen) this.become(query);
    } catch (error) {
      this.tab.complain(error.message, this.element);
    }
  }
  // Anybody, with any label, in a clip as long as that of `query`
  async random(query) {
    const { spaces, labels } = this.store.about;
    const changes = spaces.map(({ name }) => ({ kind: "seed", space: name, seed: randomSeed() }));
    const others = labels.filter((name) => name !== labelOf(query));
    if (others.length) changes.push({ kind: "label", weights: { [others[randomSeed() % others.length]]: 1 } });
    return (await this.clip({ query, changes })).query;
  }
  relabel(name) {
    const query = new URLSearchParams(this.points[this.chosen]);
    query.set("label", name);
    this.become(query.toString());
  }
  move(by) {
    const points = [...this.points], [one] = points.splice(this.chosen, 1);
    points.splice(this.chosen + by, 0, one);
    this.chosen += by;
    this.set(points);
  }
  choose(index) {
    this.chosen = index;
    this.mark();
    this.tools();
  }
  show({ points }) {
    this.chosen = Math.min(this.chosen, points.length - 1);
    this.tools();
    return this.fill(points.map((query, i) => {
      const caption = [letter(i), labelOf(query)].filter(Boolean).join(" ");
      return { caption, name: `Keyframe ${caption}`, query, take: () => this.choose(i) };
    }));
  }
  tools() {
    const { points } = this.tab.walk, { chosen, store } = this, label = labelOf(points[chosen]);
    this.name.textContent = letter(chosen);
    const names = this.labels.includes(label) ? this.labels : [label, ...this.labels];
    this.label.replaceChildren(...names.map((name) => make("option", { value: name, disabled: !this.labels.includes(name) }, inWords(name))));
    this.label.value = label;
    this.earlier.disabled = !chosen;
    this.later.disabled = chosen === points.length - 1;
    this.remove.disabled = points.length < 3;
    this.places.replaceChildren(...store.past.filter((place) => store.thumbs.has(place)).slice(-12).reverse().map((place, i) => make("button", {
      type: "button", class: "vg-thumb", "aria-label": i ? `The clip ${i} back` : "The last clip", onclick: () => this.become(place),
    }, copyOf(store.thumbs.get(place)))));
  }
  mark() {
    this.cells.forEach((cell, i) => this.press(cell, i === this.chosen));
  }
}

// A label as it is shown; a blend is one word
function labelOf(query) {
  const label = new URLSearchParams(query).get("label") ?? "";
  return label.includes("=") ? "blend" : label;
}
