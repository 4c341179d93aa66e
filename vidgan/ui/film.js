// The walk as one film: made a few frames at a time, so that it shows how far it is and can be stopped; what is there
// stays, can be seen and saved. The server keeps nothing of it: the browser sends the frames back to be made a file.

class Film {
  constructor(tab) {
    Object.assign(this, { tab, store: tab.store, strips: [], count: 0, token: null });
    this.canvas = tab.find("screen");
    this.button = tab.find("make");
    this.bar = tab.find("progress");
    this.words = tab.find("made");
    this.button.addEventListener("click", () => (this.token ? this.stop() : this.make()));
    tab.saver("film-save", "the film", ["mp4", "webp", "gif"], (format) => this.file(format));
    tab.clock.painters.add((tick) => this.paint(tick));
  }
  get total() {
    return this.tab.walk.frames;
  }
  // Another walk: nothing is there yet
  forget() {
    Object.assign(this, { strips: [], count: 0, token: null });
    this.show();
  }
  async make() {
    if (!this.tab.walk || this.token) return;
    const token = (this.token = {}), { walk, pace } = this.tab.walk;
    this.show();
    try {
      while (token === this.token && this.count < this.total) {
        await this.store.rest(); // the hand comes first
        const { strip, frames } = await this.tab.ask("slice", { walk, pace, start: this.count });
        const image = await decodeStrip(strip);
        if (token !== this.token) return;
        this.strips.push({ image, strip, start: this.count, frames });
        this.count += frames;
        this.show();
      }
    } catch (error) {
      if (token === this.token) this.tab.complain(error.message, this.button);
    }
    if (token === this.token) this.stop();
  }
  stop() {
    this.token = null;
    this.show();
  }
  async file(format) {
    if (!this.count) await this.make();
    if (!this.count) throw new Error("There is nothing of the film yet; let it be made first.");
    return this.tab.ask("film", { strips: this.strips.map(({ strip }) => strip.split(",")[1]), format });
  }
  show() {
    const { count, total, token, store } = this, done = count === total;
    this.button.textContent = token ? "Stop" : done ? "Done" : count ? "Go on" : "Make the film";
    this.button.disabled = done && !token;
    this.bar.value = count / total;
    this.tab.find("duration").textContent = `${total} frames, ${(total / store.about.fps).toFixed(1)} s`;
    this.words.textContent = token ? `${count} of ${total} frames` : done ? "All frames are there."
      : count ? `Stopped after ${count} of ${total} frames; they can be saved as they are.` : "So far a sketch out of the seven clips above.";
    this.paint(this.tab.clock.tick);
  }
  paint(tick) {
    const { count } = this;
    if (!count) return this.sketch(tick);
    const at = tick % count, { image, start } = this.strips.findLast((one) => one.start <= at), side = image.height;
    this.draw(image, (at - start) * side, side);
  }
  // Before anything is made: the nearest of the clips of the figure
  sketch(tick) {
    const { cells } = this.tab.columns;
    if (!this.tab.walk || !cells.length) return;
    const at = (tick % this.total) / this.total, cell = cells[Math.min(cells.length - 1, Math.floor(at * cells.length))];
    if (!cell.strip) return;
    const period = Math.max(1, 2 * (cell.frames - 1)), index = (tick % this.total) % period;
    this.draw(cell.strip, Math.min(index, period - index) * cell.side, cell.side);
  }
  draw(image, left, side) {
    if (this.canvas.width !== side) Object.assign(this.canvas, { width: side, height: side });
    this.canvas.getContext("2d").drawImage(image, left, 0, side, side, 0, 0, side, side);
  }
}
