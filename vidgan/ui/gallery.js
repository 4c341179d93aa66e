// The same picture several ways, side by side: each clip is the current point with one change, and shows its first part.

class Gallery extends Clips {
  constructor(tab) {
    super(tab, tab.find("gallery"));
    this.mode = null;
  }
  build({ labels, levels }) {
    const modes = [["labels", "All labels", labels.length > 1], ["variations", "Six variations", true], ["skips", "Fewer skips", levels.length > 0]];
    this.modes = new Map(modes.filter(([, , there]) => there).map(([mode, name]) => [mode, make("button", {
      type: "button", class: "vg-chip", "aria-pressed": "false", onclick: () => this.open(mode),
    }, name)]));
    this.tab.find("modes").replaceChildren(...this.modes.values());
    if (!this.modes.has(this.mode)) this.mode = this.modes.keys().next().value;
    this.cells = [];
  }
  open(mode) {
    this.mode = mode;
    this.show();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) this.element.parentElement.scrollIntoView({ block: "nearest" });
    else this.element.parentElement.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }
  // caption and change of every clip
  plan() {
    const { about, point } = this.store;
    if (this.mode === "labels")
      return about.labels.map((name) => ({ caption: inWords(name), change: { kind: "label", weights: { [name]: 1 }, part: 0 } }));
    if (this.mode === "variations") {
      const first = BigInt(point.seed ?? 0), most = 2n ** 64n;
      return Array.from({ length: 6 }, (_, i) => String((first + BigInt(i)) % most))
        .map((seed) => ({ caption: `seed ${seed}`, change: { kind: "seed", seed } }));
    }
    const count = about.levels.length;
    return Array.from({ length: count + 1 }, (_, off) => ({
      caption: off === 0 ? "all on" : off === count ? "all off" : `without ${about.levels.slice(count - off).reverse().map((side) => `${side}×${side}`).join(", ")}`,
      change: { kind: "fusion", values: about.levels.map((_, level) => (level < count - off ? 1 : 0)) },
    }));
  }
  // Once the hand rests: anew, unless one of these clips is what was chosen.
  follow() {
    const { query } = this.store.point;
    if (query !== this.corner && !this.cells.some((cell) => cell.query === query)) this.show();
  }
  show() {
    const { element, store } = this, corner = (this.corner = store.point.query);
    for (const [mode, button] of this.modes) button.setAttribute("aria-pressed", mode === this.mode);
    this.tab.find("modes-help").textContent = {
      labels: "One picture, every label. Click a clip to take its label.",
      variations: "One picture, six seeds. Click a clip to take its seed.",
      skips: "The picture enters at fewer and fewer levels, the finest going first. Click a clip to take its strengths.",
    }[this.mode];
    const plan = this.plan().map(({ caption, change }) => ({
      caption, query: corner, changes: [change], take: () => store.change(change.kind, change, element),
    }));
    return this.fill(plan, this.mode);
  }
}
