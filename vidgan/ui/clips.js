// Small clips side by side, all of them moving; a click takes one. Each is asked for by itself, after the hand.

class Clips {
  constructor(tab, element) {
    Object.assign(this, { tab, store: tab.store, element, cells: [], kept: new Map(), token: null, laid: null });
    tab.clock.painters.add((tick) => this.paint(tick));
    tab.on("point", () => this.mark());
  }
  // plan: for each clip {caption, query, changes, take}: what it shows is the point `query` after `changes`; kind: clips
  // of the same kind stay until the new ones are there
  async fill(plan, kind = null) {
    const token = (this.token = {});
    this.lay(plan, kind);
    this.element.setAttribute("aria-busy", "true");
    try {
      for (const cell of this.cells) {
        await this.store.rest();
        if (token !== this.token) return;
        const clip = await this.clip(cell.plan);
        if (token !== this.token) return;
        this.put(cell, clip);
      }
      if (this.failed) this.tab.calm(this.element);
      this.failed = false;
    } catch (error) {
      this.failed = token === this.token;
      if (this.failed) this.tab.complain(error.message, this.element);
    } finally {
      if (token === this.token) this.element.removeAttribute("aria-busy");
    }
  }
  async clip({ query, changes = [] }) {
    const key = JSON.stringify([query, changes]);
    if (!this.kept.has(key)) {
      const answer = await this.store.ask("cell", { query, changes });
      if (this.kept.size > 60) this.kept.clear();
      this.kept.set(key, { query: answer.query, strip: await decodeStrip(answer.strip), frames: answer.frames, rate: answer.rate });
    }
    return this.kept.get(key);
  }
  put(cell, clip) {
    Object.assign(cell, clip, { side: clip.strip.height });
    cell.button.disabled = false;
    if (cell.canvas.width !== cell.side) Object.assign(cell.canvas, { width: cell.side, height: cell.side });
    this.paint(this.tab.clock.tick);
    this.mark();
  }
  lay(plan, kind) {
    if (this.cells.length !== plan.length || this.laid !== kind) {
      this.cells = plan.map(() => {
        const canvas = make("canvas", { width: 64, height: 64 }), caption = make("span", {});
        const button = make("button", { type: "button", class: "vg-cell", disabled: true }, canvas);
        return { canvas, caption, button, element: make("figure", {}, button, caption) };
      });
      this.element.replaceChildren(...this.cells.map((cell) => cell.element));
      this.element.style.setProperty("--columns", plan.length);
    }
    this.laid = kind;
    plan.forEach((one, i) => {
      const cell = this.cells[i];
      Object.assign(cell, { plan: one, query: null });
      cell.caption.textContent = one.caption;
      cell.button.setAttribute("aria-label", one.name ?? one.caption);
      cell.button.onclick = one.take;
    });
    this.mark();
  }
  mark() {
    const here = this.store.point?.query;
    this.cells.forEach((cell) => this.press(cell, Boolean(cell.query) && cell.query === here));
  }
  press({ button }, on) {
    button.classList.toggle("vg-current", on);
    button.setAttribute("aria-pressed", on);
  }
  paint(tick) {
    for (const { strip, side, frames, rate, canvas } of this.cells) {
      const frame = strip && Math.floor((tick * rate) / this.tab.clock.fps) % frames;
      if (strip) canvas.getContext("2d").drawImage(strip, frame * side, 0, side, side, 0, 0, side, side);
    }
  }
}
