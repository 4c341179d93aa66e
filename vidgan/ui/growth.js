// The tab Growth: one clip at every stage. `element` and `server` are given by the component that holds it.

const EVEN = { what: "all", lerp: [], easing: "linear", loop: false, pace: 2 }; // a way, as Interpolate asks for it
const PER_LEVEL = 1600; // milliseconds from one size to the next while it grows

class Growth extends Stage {
  constructor(element, server) {
    super(element, server, "growth", "vw", "drawn");
    this.levels = new Clips(this, this.find("levels"));
    this.steps = new Clips(this, this.find("steps"));
    this.find("end").addEventListener("click", () => this.lead());
    this.find("grow").addEventListener("click", () => this.grow());
    this.find("other").addEventListener("click", () => this.choose(this.find("other").value));
    this.saver("row-save", "all sizes", ["mp4", "webp", "gif"], (format) =>
      this.store.ask("sizes", { query: this.store.point.query, format }));
    this.saver("way-save", "the way", ["mp4", "webp", "gif"], (format) =>
      this.store.ask("figure", { release: this.store.about.release, walk: this.walk, format }));
    this.on("about", (about) => this.build(about));
    this.on("point", ({ stage }) => this.show(stage));
    this.watch();
  }
  build({ levels, growing }) {
    const other = this.find("other");
    other.textContent = `See ${(other.value = growing[0])} grow`;
    this.find("none").hidden = Boolean(levels.length);
    for (const part of ["some", "all", "way"]) this.find(part).hidden = !levels.length;
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
  // The point in full size
  get whole() {
    return this.store.point.query.replace(/&stage=[^&]*/, "");
  }
  async opened() {
    this.walk = this.end = null;
    await this.follow();
  }
  async follow() {
    const { about } = this.store, query = this.whole;
    if (!about.levels.length) return;
    await this.levels.fill(about.levels.map(([frames, size], stage) => ({
      caption: `${size}×${size}, ${frames} frames`, query, changes: [this.to(stage)],
      take: () => this.store.change("stage", this.to(stage), this.find("place")),
    })), "levels");
    if (query === this.whole && !this.steps.cells.some((cell) => cell.query === query)) await this.lead(this.end);
  }
  // The way from the point to `end`, anybody unless it is given
  async lead(end = null) {
    const { about } = this.store, query = this.whole, turn = (this.leading = {});
    try {
      const { walk, points, columns } = await this.during(async () => {
        const changes = about.spaces.map(({ name }) => ({ kind: "seed", space: name, seed: randomSeed() }));
        const there = end ?? (await this.store.ask("cell", { query, changes })).query;
        return this.store.ask("walk", { release: about.release, points: [query, there], ...EVEN });
      });
      if (turn !== this.leading) return;
      [this.walk, this.end] = [walk, points[1]];
      await this.steps.fill(columns.map((t) => {
        const step = { kind: "walk", walk, t }, caption = t === 0 ? "this one" : t === 1 ? "another" : percent(t);
        return { caption, query, changes: [step], take: () => this.store.change("step", step, this.find("steps")) };
      }), "steps");
    } catch (error) {
      this.complain(error.message, this.find("steps"));
    }
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
