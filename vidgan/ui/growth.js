// The tab Growth: one clip at every stage. `element` and `server` are given by the component that holds it.

const PER_LEVEL = 1600; // milliseconds from one size to the next while it grows

class Growth extends Stage {
  constructor(element, server) {
    super(element, server, "growth", "vw", "drawn");
    this.levels = new Clips(this, this.find("levels"));
    this.find("grow").addEventListener("click", () => this.grow());
    this.find("other").addEventListener("click", () => this.choose(this.find("other").value));
    this.saver("row-save", "all sizes", ["mp4", "webp", "gif"], (format) =>
      this.store.ask("figure", { query: this.store.point.query, format }));
    this.on("about", (about) => this.build(about));
    this.on("point", ({ stage }) => this.show(stage));
    this.watch();
  }
  build({ levels, growing }) {
    const other = this.find("other");
    other.textContent = `See ${(other.value = growing[0])} grow`;
    this.find("none").hidden = Boolean(levels.length);
    for (const part of ["some", "all"]) this.find(part).hidden = !levels.length;
    if (!levels.length) return;
    this.place = slider(this.store, {
      key: "stage", name: "stage", low: 0, high: levels.length - 1, step: 0.02,
      title: "How far it has grown. Double click: all the way",
      what: (stage) => this.to(stage), reset: () => this.to(levels.length - 1),
    });
    this.find("place").replaceChildren(this.place.row);
  }
  to(stage) {
    return { kind: "stage", stage };
  }
  // 8 frames of 16×16, or how far it is from one size to the next
  show(stage) {
    const { levels } = this.store.about;
    if (stage === null || !levels.length) return;
    this.place.set(stage);
    const form = ([frames, size]) => `${frames} frames of ${size}×${size}`, part = Math.round(100 * (stage % 1));
    this.find("form").textContent = part ? `${part}% of the way to ${form(levels[Math.ceil(stage)])}` : form(levels[Math.floor(stage)]);
  }
  async opened() {
    await this.follow();
  }
  async follow() {
    const { about, point } = this.store, query = point.query.replace(/&stage=[^&]*/, "");
    await this.levels.fill(about.levels.map(([frames, size], stage) => ({
      caption: `${size}×${size}, ${frames} frames`, query, changes: [this.to(stage)],
      take: () => this.store.change("stage", this.to(stage), this.find("place")),
    })), "levels");
  }
  // As the hand on the slider would, evenly; whoever takes the slider stops it.
  async grow() {
    const { store } = this, last = store.about.levels.length - 1, from = performance.now(), turn = (this.turn = {});
    for (let part = 0; part < 1 && turn === this.turn && !store.held; ) {
      part = Math.min(1, (performance.now() - from) / (PER_LEVEL * last));
      store.change("stage", this.to(Math.round(50 * part * last) / 50), this.find("place"));
      await new Promise((resolve) => setTimeout(resolve, 60));
      while (store.busy) await new Promise((resolve) => setTimeout(resolve, 15));
    }
  }
  redraw() {
    for (const { name } of this.store.about.spaces)
      this.store.change(`seed.${name}`, { kind: "seed", space: name, seed: randomSeed() }, this.find("levels"));
  }
  extras() {
    return { tab: "growth" };
  }
}

new Growth(element, server);
