// What the tabs with a player have in common: its buttons, the history, the keyboard.

class Stage extends Tab {
  // As a tab; those of the same `kind` show the same point
  constructor(element, server, name, prefix, kind) {
    super(element, server, name, prefix, (SHARED.stores[kind] ??= new Store()));
    this.player = new Player(this.find("player"), this.find("film"), this.clock);
    if (this.former?.release !== this.store.about?.release) this.former = null;
    this.listen();
    this.transport();
    this.saving();
    this.keyboard();
  }
  // It learns what has been told before.
  watch() {
    for (const told of ["about", "clip", "point"])
      if (told in this.store.last) for (const [name, hear] of this.heard) if (name === told) hear(this.store.last[told]);
    super.watch();
  }
  async begin(query) {
    const { store } = this;
    this.root.setAttribute("aria-busy", "true");
    try {
      const first = !store.opening;
      const answer = await (store.opening ??= store.open(query));
      if (answer.elsewhere) return this.leave();
      SHARED.masthead.show(this);
      if (!store.point) return this.empty(answer.complaint);
      if (first && answer.complaint) this.complain(`${answer.complaint} Here is another clip instead.`);
      if (!first) await this.arrive();
      this.address();
    } catch (error) {
      store.opening = null;
      this.empty(error.message);
    }
    this.root.removeAttribute("aria-busy");
  }
  // The link is for a release of another tab; here nothing has begun.
  leave() {
    this.begun = false;
    this.store.opening = null;
    this.root.removeAttribute("aria-busy");
    SHARED.wanted = "animate";
    SHARED.turn(SHARED.wanted);
  }
  // In sight with a point that may have come from elsewhere: what belongs to a release is made anew for another one.
  async arrive() {
    const { about, point } = this.store;
    if (!point) return;
    const same = this.release === about.release;
    this.release = about.release;
    await (same ? this.follow() : this.opened());
  }
  // Another release
  async opened() {}
  // Another point
  async follow() {}
  empty(complaint) {
    this.complain(complaint);
    this.find("status").textContent = "";
    this.root.removeAttribute("aria-busy");
  }
  async choose(name) {
    if (await this.store.go(null, "switch", { release: name })) this.store.keep();
    else SHARED.masthead.show(this);
  }
  // The lines of "python", or of "cli", that make what the tab shows
  lines(what) {
    return this.store.point[what];
  }
  listen() {
    const { store } = this, length = this.find("length");
    const option = (frames, fps) => make("option", { value: frames }, `${frames} · ${(frames / fps).toFixed(1)} s`);
    this.on("about", (about) => {
      this.clock.fps = about.fps;
      length.closest("label").hidden = !(about.lengths?.length > 1);
      length.replaceChildren(...(about.lengths ?? []).map((frames) => option(frames, about.fps)));
      SHARED.masthead.show(this);
    });
    this.on("clip", (clip) => {
      this.player.show(clip.strip, clip.frames, clip.size, this.clock.fps / clip.rate);
      const { model, encode, remembered } = clip.ms;
      const parts = [remembered ? "from memory" : `${Math.max(1, Math.round(model))} ms model`, `${encode.toFixed(1)} ms picture`];
      if (clip.took) parts.push(`${Math.round(clip.took)} ms to the screen`);
      this.find("status").textContent = [...parts, "fp32"].join(" · ");
    });
    this.on("point", ({ frames }) => {
      length.value = frames;
      if (frames && length.selectedIndex < 0) length.append(option(frames, store.about.fps));
      length.value = frames;
    });
    this.on("hand", () => this.root.setAttribute("aria-busy", "true"));
    this.on("settled", (point) => {
      this.root.removeAttribute("aria-busy");
      this.address();
      this.remember(point.query);
      this.find("undo").disabled = store.past.length < 2;
      this.find("redo").disabled = !store.future.length;
      if (this.shown) this.arrive();
    });
    this.on("trouble", ({ message, from }) => this.complain(message, from));
    this.on("fine", () => this.quiet());
    length.addEventListener("change", () => store.change("frames", { kind: "frames", frames: Number(length.value) }, length));
  }
  // The last few places, as small pictures
  remember(query) {
    const { strip, width, height } = this.player, { thumbs } = this.store;
    const canvas = make("canvas", { width: 48, height: 48 });
    canvas.getContext("2d").drawImage(strip, Math.floor(this.player.frames / 2) * width, 0, width, height, 0, 0, 48, 48);
    thumbs.set(query, canvas);
    const places = this.store.past.slice(-8);
    const bar = this.find("history");
    bar.hidden = places.length < 2;
    bar.replaceChildren(...places.map((place, i) => {
      const now = i === places.length - 1;
      const button = make("button", {
        type: "button", class: "vg-thumb", "aria-label": now ? "Where you are" : `${places.length - 1 - i} back`,
        "aria-current": now ? "true" : null, title: now ? "Where you are" : "Go back to this one",
        onclick: () => now || this.store.visit(place),
      });
      if (thumbs.has(place)) button.append(copyOf(thumbs.get(place)));
      return button;
    }));
    for (const known of thumbs.keys()) if (!this.store.past.includes(known)) thumbs.delete(known);
  }
  transport() {
    const { store } = this;
    this.player.onpause = this.playing();
    icon(this.find("undo"), "undo");
    icon(this.find("redo"), "redo");
    this.find("undo").addEventListener("click", () => store.undo());
    this.find("redo").addEventListener("click", () => store.undo(false));
    this.find("redraw").addEventListener("click", () => this.redraw());
  }
  saving() {
    this.saver("save", "the clip", ["mp4", "webp", "gif", "npz"], async (format) => {
      await this.store.idle();
      return this.store.ask("take", { query: this.store.point.query, format });
    });
  }
  keyboard() {
    this.keys((key, { shiftKey }) => {
      if (key === "z" || key === "Z") this.store.undo(!shiftKey);
      else if (key === "r") this.redraw();
      else if (/^[1-9]$/.test(key)) this.labels?.chips[key - 1]?.click();
      else return false;
      return true;
    });
  }
}

function copyOf(canvas) {
  const copy = make("canvas", { width: canvas.width, height: canvas.height });
  copy.getContext("2d").drawImage(canvas, 0, 0);
  return copy;
}
