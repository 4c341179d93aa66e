// Appearances down, motions across, all of them moving; the top left corner is the point that it was made around.

const ROWS = 4;

class Matrix {
  constructor(page, element) {
    Object.assign(this, { page, store: page.store, element, cells: [], token: null });
    page.clock.painters.add((tick) => this.paint(tick));
    page.on("point", () => this.mark());
    page.find("others").addEventListener("click", () => this.fill());
    page.find("spread").addEventListener("change", () => this.fill());
    this.error = page.find("grid-error");
  }
  get columns() {
    return this.element.clientWidth < 460 ? 4 : 6;
  }
  plan() {
    const { about, point } = this.store;
    const spread = about.labels.length && this.page.find("spread").checked;
    const strongest = about.labels[point.label.indexOf(Math.max(...point.label))];
    const others = about.labels.filter((label) => label !== strongest);
    // a release with neither appearance nor motion: a seed for every clip
    this.single = !about.spaces.some(({ role }) => ["appearance", "motion"].includes(role));
    this.people = [null, ...Array.from({ length: ROWS - 1 }, () => (this.single ? null : randomSeed()))];
    const motions = (row) => Array.from({ length: this.columns }, (_, i) => ({
      seed: i || row ? randomSeed() : null,
      label: i && spread && others.length ? others[(i - 1) % others.length] : null,
    }));
    this.motions = motions(0);
    this.rows = this.people.map((_, row) => (this.single && row ? motions(row) : this.motions));
  }
  async fill() {
    const token = (this.token = {});
    const corner = this.store.point;
    this.plan();
    this.build(corner);
    for (let row = 0; row < ROWS; row++) {
      await this.store.rest();
      if (token !== this.token) return;
      try {
        const request = { query: corner.query, appearance: this.people[row], motions: this.rows[row] };
        const answer = await this.store.ask("row", request);
        const strip = await decodeStrip(answer.strip);
        if (token !== this.token) return;
        const side = strip.height / this.motions.length;
        answer.cells.forEach((query, column) => {
          const cell = this.cells[row][column];
          Object.assign(cell, { query, strip, side, top: column * side, frames: Math.round(strip.width / side) });
          cell.button.disabled = false;
          Object.assign(cell.canvas, { width: side, height: side });
        });
        this.error.hidden = true;
      } catch (error) {
        if (token !== this.token) return;
        this.error.textContent = error.message;
        this.error.hidden = false;
        return;
      }
      this.paint(this.page.clock.tick);
      this.mark();
    }
  }
  build(corner) {
    const { spaces } = corner;
    const seedOf = (role) => {
      const space = this.store.about.spaces.find((one) => one.role === role);
      const mine = space && spaces[space.name];
      return !mine ? "" : mine.edited ? "yours" : mine.seed;
    };
    const heading = (text, small, label, click) =>
      make("button", { type: "button", class: "vg-heading", "aria-label": label, title: label, onclick: click }, text, small ? make("small", {}, small) : null);
    const label = this.store.about.labels[corner.label.findIndex((weight, _, all) => weight === all.reduce((a, b) => a + b, 0))];
    this.element.style.setProperty("--columns", this.motions.length);
    this.cells = this.people.map(() => this.motions.map(() => ({})));
    this.element.classList.toggle("vg-single", this.single);
    this.page.find("mixing").textContent = this.single ? "Other clips. Click one to become it."
      : "Every row is a person, every column a motion. Click a clip to become it, a heading to take that half alone.";
    const parts = this.single ? [] : [make("span", { class: "vg-corner vg-quiet" }, "who ↓ moves →")];
    if (!this.single) this.motions.forEach((motion, column) => {
      const name = motion.label || label || (this.store.about.labels.length ? "blend" : "");
      const seed = motion.seed ?? seedOf("motion");
      parts.push(heading(name || seed, name ? seed : "", `Take only this motion: ${name} ${seed}`, () => this.adopt(0, column, ["motion"])));
    });
    this.people.forEach((person, row) => {
      const who = person ?? seedOf("appearance");
      if (!this.single) parts.push(heading(who, "", `Take only this appearance: ${who}`, () => this.adopt(row, 0, ["appearance"])));
      this.rows[row].forEach((motion, column) => {
        const cell = this.cells[row][column];
        cell.canvas = make("canvas", { width: 64, height: 64 });
        cell.button = make("button", {
          type: "button", class: "vg-cell", disabled: true,
          "aria-label": this.single ? `Seed ${motion.seed ?? "of the player"}`
            : `Appearance ${who}, motion ${motion.label || label || ""} ${motion.seed ?? seedOf("motion")}`,
          onclick: () => this.adopt(row, column, null),
        }, cell.canvas);
        parts.push(cell.button);
      });
    });
    this.element.replaceChildren(...parts);
  }
  // Become this cell, in all subspaces or in those of some roles; what is locked stays.
  adopt(row, column, roles) {
    const { query } = this.cells[row][column];
    if (!query) return;
    for (const panel of this.page.panels) {
      const { name, role } = panel.space;
      if (panel.locked || (roles && !roles.includes(role))) continue;
      this.store.change(`adopt.${name}`, { kind: "adopt", space: name, query }, this.element);
    }
  }
  mark() {
    const here = this.store.point?.query;
    for (const cell of this.cells.flat()) {
      const current = Boolean(cell.query) && cell.query === here;
      cell.button?.classList.toggle("vg-current", current);
      cell.button?.setAttribute("aria-pressed", current);
    }
  }
  paint(tick) {
    const frame = Math.floor(tick / this.page.player.hold);
    for (const { strip, side, top, frames, canvas } of this.cells.flat())
      if (strip) canvas.getContext("2d").drawImage(strip, (frame % frames) * side, top, side, side, 0, 0, side, side);
  }
}
