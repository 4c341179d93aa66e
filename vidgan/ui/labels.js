// The labels of a release as chips, and their blend as sliders.

class Labels {
  // what(weights) -> change, weights by name; from: the element beside which an error belongs
  constructor(store, names, what, from) {
    Object.assign(this, { store, names });
    const send = (weights) => store.change("label", what(weights), from());
    this.mix = null; // where the hand has put the weights: the point knows them scaled to a sum of 1
    this.chips = names.map((name, i) => make("button", {
      type: "button", class: "vg-chip", "aria-pressed": "false", title: i < 9 ? `${i + 1}` : "",
      onclick: () => {
        this.mix = null;
        send({ [name]: 1 });
      },
    }, inWords(name)));
    this.weights = names.map((name) => slider(store, {
      key: "label", name: inWords(name), label: `Weight of ${name}`, low: 0, high: 1, step: 0.01, format: (value) => `${Math.round(100 * value)}%`,
      what: (value) => {
        const weights = Object.fromEntries(names.map((other, i) => [other, Number(this.weights[i].input.value)]));
        weights[name] = value;
        if (!Object.values(weights).some((weight) => weight > 0)) weights[name] = 0.01;
        this.mix = names.map((other) => weights[other]);
        return what(weights);
      },
    }));
    this.element = make("div", { class: "vg-labels" },
      make("div", { class: "vg-chips", role: "group", "aria-label": "Label" }, ...this.chips),
      make("details", { class: "vg-fold" }, make("summary", {}, "Blend"),
        make("div", { class: "vg-sliders" }, ...this.weights.map((one) => one.row))));
  }
  // weights: one number for each name, of sum 1
  show(weights) {
    const total = weights.reduce((sum, weight) => sum + weight, 0) || 1;
    weights.forEach((weight, i) => {
      this.chips[i].setAttribute("aria-pressed", weight === total);
      this.chips[i].style.setProperty("--weight", weight / total);
    });
    const sum = this.mix?.reduce((all, weight) => all + weight, 0);
    const same = this.mix?.every((weight, i) => Math.abs(weight / sum - weights[i]) < 1e-4);
    (same ? this.mix : weights).forEach((weight, i) => this.weights[i].set(weight));
  }
}
