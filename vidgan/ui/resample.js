// The tab Resample: some parts of the clip stay, the others are drawn anew. `element` and `server` are given by the
// component that holds it.

const VARIANTS = 6;

class Resample extends Stage {
  constructor(element, server) {
    super(element, server, "resample", "vr", "drawn");
    this.row = null; // what is shown: the point `original`, {names} drawn anew from {seed} on, and the server's answer
    this.asked = new URLSearchParams(this.former?.extras() ?? SHARED.asked);
    this.parts = new Parts(this, this.find("parts"));
    this.variants = new Clips(this, this.find("variants"));
    this.find("again").addEventListener("click", () => this.redraw());
    this.saver("row-save", "the row", ["mp4", "webp", "gif"], (format) =>
      this.store.ask("sheet", { ...this.request(), count: VARIANTS, format }));
    this.on("about", (about) => this.parts.build(about.spaces));
    this.watch();
  }
  request({ original, names, seed } = this.row) {
    return { query: original, names, seed };
  }
  async opened() {
    const { asked, store } = this, names = (asked.get("redraw") ?? store.about.spaces[0].name).split(",");
    this.asked = new URLSearchParams(); // the link is for the first point alone
    const fresh = { original: store.point.query, names: [store.about.spaces[0].name], seed: randomSeed() };
    const told = { original: asked.get("original") ?? fresh.original, names, seed: asked.get("draws") ?? fresh.seed };
    if (!(await this.show(told))) await this.show(fresh, true);
  }
  // The row is made anew, unless one of its clips is where we are.
  async follow() {
    const { query } = this.store.point;
    if (!this.row) return;
    if (![this.row.original, ...this.row.queries].includes(query)) await this.show({ ...this.row, original: query });
    else if (!this.variants.element.hasAttribute("aria-busy")) await this.parts.measure(this.row.original);
  }
  redraw() {
    if (this.row) this.show({ ...this.row, seed: randomSeed() });
  }
  // keep: a complaint that is there stays. Returns whether the server could make the row.
  async show(row, keep = false) {
    const turn = (this.turn = {}), panel = this.parts.element;
    try {
      const answer = await this.during(() => this.store.ask("variants", { ...this.request(row), count: VARIANTS }));
      if (turn !== this.turn) return true;
      this.row = { ...row, ...answer };
      if (!keep) this.calm(panel);
    } catch (error) {
      if (turn === this.turn) {
        this.complain(error.message, panel);
        this.parts.choose(this.row?.names ?? []);
      }
      return false;
    }
    this.parts.choose(this.row.names);
    this.address();
    const take = (query) => () => this.store.visit(query);
    const { original, queries, seeds } = this.row;
    const plan = queries.map((query, i) => ({ caption: seeds[i], name: `Variant from seed ${seeds[i]}`, query, take: take(query) }));
    await this.variants.fill([{ caption: "original", query: original, take: take(original) }, ...plan]);
    if (turn === this.turn) await this.parts.measure(original);
    return true;
  }
  extras() {
    const { row, asked, store } = this;
    if (!row) return { tab: "resample", ...Object.fromEntries([...asked].filter(([key]) => ["redraw", "draws", "original"].includes(key))) };
    const extras = { tab: "resample", redraw: row.names.join(","), draws: row.seed };
    return row.original === store.point.query ? extras : { ...extras, original: row.original };
  }
  lines(what) {
    return this.row?.[what] ?? super.lines(what);
  }
}

new Resample(element, server);
