// The same picture several ways, side by side; a click takes one. Each clip is the current point with one change, and
// shows its first part.

class Gallery {
  constructor(tab) {
    Object.assign(this, { tab, store: tab.store, element: tab.find("gallery"), cells: [], token: null, mode: null });
    this.error = this.element.parentElement.querySelector(":scope > .vg-error");
    tab.clock.painters.add((tick) => this.paint(tick));
    this.store.addEventListener("point", () => this.mark());
    this.store.addEventListener("settled", () => this.follow());
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
    this.fill();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) this.element.parentElement.scrollIntoView({ block: "nearest" });
    else this.element.parentElement.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }
  // caption and change of every clip
  plan() {
    const { about, point } = this.store;
    if (this.mode === "labels")
      return about.labels.map((name) => ({ caption: name, change: { kind: "label", weights: { [name]: 1 }, part: 0 } }));
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
    if (query !== this.corner && !this.cells.some((cell) => cell.query === query)) this.fill();
  }
  async fill() {
    const token = (this.token = {});
    this.corner = this.store.point.query;
    for (const [mode, button] of this.modes) button.setAttribute("aria-pressed", mode === this.mode);
    this.tab.find("modes-help").textContent = {
      labels: "One picture, every label. Click a clip to take its label.",
      variations: "One picture, six seeds. Click a clip to take its seed.",
      skips: "The picture enters at fewer and fewer levels, the finest going first. Click a clip to take its strengths.",
    }[this.mode];
    this.lay(this.plan());
    const { corner } = this;
    for (const cell of this.cells) {
      while (this.store.busy || this.store.held) {
        await new Promise((resolve) => setTimeout(resolve, 30)); // the hand comes first
        if (token !== this.token) return;
      }
      try {
        const answer = await this.store.ask("cell", { query: corner, changes: [cell.change] });
        const strip = await decodeStrip(answer.strip);
        if (token !== this.token) return;
        Object.assign(cell, { query: answer.query, strip, frames: answer.frames, side: strip.height });
        cell.button.disabled = false;
        if (cell.canvas.width !== cell.side) Object.assign(cell.canvas, { width: cell.side, height: cell.side });
        this.error.hidden = true;
      } catch (error) {
        if (token !== this.token) return;
        this.tab.complain(error.message, this.element);
        return;
      }
      this.paint(this.tab.clock.tick);
      this.mark();
    }
  }
  // The places for the clips; where there were as many before, what they show stays until the new clip is there.
  lay(plan) {
    if (this.cells.length !== plan.length || this.laid !== this.mode) {
      this.cells = plan.map(() => {
        const canvas = make("canvas", { width: 64, height: 64 }), caption = make("span", {});
        const button = make("button", { type: "button", class: "vg-cell", disabled: true }, canvas);
        return { canvas, caption, button, element: make("figure", {}, button, caption) };
      });
      this.element.replaceChildren(...this.cells.map((cell) => cell.element));
      this.element.style.setProperty("--columns", plan.length);
    }
    this.laid = this.mode;
    plan.forEach(({ caption, change }, i) => {
      const cell = this.cells[i];
      cell.change = change;
      cell.query = null;
      cell.caption.textContent = caption;
      cell.button.setAttribute("aria-label", caption);
      cell.button.onclick = () => this.store.change(change.kind, change, this.element);
    });
  }
  mark() {
    const here = this.store.point?.query;
    for (const cell of this.cells) {
      const current = Boolean(cell.query) && cell.query === here;
      cell.button.classList.toggle("vg-current", current);
      cell.button.setAttribute("aria-pressed", current);
    }
  }
  paint(tick) {
    for (const { strip, side, frames, canvas } of this.cells)
      if (strip) canvas.getContext("2d").drawImage(strip, (tick % frames) * side, 0, side, side, 0, 0, side, side);
  }
}
