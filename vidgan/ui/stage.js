// What the tabs have in common: the player with its buttons, the history, the keyboard, and which tab is in sight.

class Stage {
  // `element` and `server` are given by the component that holds the tab; ids in its markup begin with `prefix`; tabs
  // of the same `kind` show the same point
  constructor(element, server, name, prefix, kind) {
    this.root = element.querySelector(".vg");
    Object.assign(this, { name, prefix, shown: false, begun: false, heard: [], gone: new AbortController() });
    this.store = SHARED.stores[kind] ??= new Store();
    Object.assign(this.store.server, server);
    this.clock = new Clock();
    this.player = new Player(this.find("player"), this.find("film"), this.clock);
    const former = SHARED.tabs[name]; // gradio builds a tab anew where its button had no room
    former?.gone.abort();
    this.former = former?.release === this.store.about?.release ? former : null;
    SHARED.tabs[name] = this;
    SHARED.masthead ??= new Masthead();
    this.listen();
    this.transport();
    this.saving();
    this.keyboard();
  }
  // What the store tells, as long as this tab is there
  on(name, hear) {
    this.heard.push([name, hear]);
    this.store.addEventListener(name, ({ detail }) => hear(detail), { signal: this.gone.signal });
  }
  // Called by the tab once all its parts are there: it learns what has been told before, and begins when it is first seen.
  watch() {
    for (const told of ["about", "clip", "point"])
      if (told in this.store.last) for (const [name, hear] of this.heard) if (name === told) hear(this.store.last[told]);
    new ResizeObserver(() => {
      const shown = Boolean(this.root.offsetParent), come = shown && !this.shown;
      this.shown = shown;
      if (come) this.come();
    }).observe(this.root);
  }
  find(name) {
    return this.root.querySelector(`#${this.prefix}-${name}`);
  }
  say(words) {
    this.find("say").textContent = words;
  }
  // Where an error belongs: beside what the hand is on, or under the player
  place(from) {
    return from?.closest?.(".vg-panel, .vg-matrix")?.querySelector(":scope > .vg-error") ?? this.find("error");
  }
  complain(message, from = null) {
    const place = this.place(from);
    place.textContent = message;
    place.hidden = false;
  }
  calm(from) {
    this.place(from).hidden = true;
  }
  quiet() {
    for (const place of this.root.querySelectorAll(".vg-error")) place.hidden = true;
  }
  come() {
    if (SHARED.wanted && SHARED.wanted !== this.name) return SHARED.turn(SHARED.wanted);
    if (!this.begun || this.store.point) SHARED.active = this;
    SHARED.masthead.show(this);
    this.address();
    if (this.begun) return this.arrive();
    this.begun = true;
    this.begin(SHARED.wanted ? SHARED.asked : "");
    SHARED.wanted = null;
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
  // What the link adds to the point, by name
  extras() {
    return {};
  }
  link() {
    return linkTo(this.store.point.query, this.extras());
  }
  // The lines of "python", or of "cli", that make what the tab shows
  lines(what) {
    return this.store.point[what];
  }
  address() {
    if (this.store.point && SHARED.active === this) history.replaceState(history.state, "", this.link());
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
    const { clock, store } = this, play = this.find("play");
    const show = () => {
      icon(play, clock.playing ? "pause" : "play");
      play.setAttribute("aria-label", clock.playing ? "Pause" : "Play");
    };
    this.toggle = () => {
      clock.playing = !clock.playing;
      show();
    };
    icon(this.find("undo"), "undo");
    icon(this.find("redo"), "redo");
    this.player.onpause = show;
    show();
    play.addEventListener("click", this.toggle);
    this.find("speed").addEventListener("change", (event) => (clock.speed = Number(event.target.value)));
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
  // What stands beside the player is busy while `work` lasts.
  async during(work) {
    const side = this.root.querySelector(".vg-side");
    this.works = (this.works ?? 0) + 1;
    side.setAttribute("aria-busy", "true");
    try {
      return await work();
    } finally {
      if (!--this.works) side.removeAttribute("aria-busy");
    }
  }
  // A group of buttons, each of which saves what `made(kind)` gives
  saver(name, what, kinds, made) {
    const group = this.find(name);
    group.setAttribute("aria-label", `Save ${what}`);
    group.replaceChildren(make("span", { class: "vg-quiet" }, "Save"), ...kinds.map((kind) => make("button", {
      type: "button", class: "vg-button", "data-save": kind, title: kind === "npz" ? "Frames and latents, exact" : null,
      onclick: (event) => this.store.point && this.save(event.currentTarget, () => made(kind)),
    }, kind)));
  }
  // A file that the server makes, as a download
  async save(button, made) {
    button.setAttribute("aria-busy", "true");
    try {
      const file = await made();
      const bytes = Uint8Array.from(atob(file.data), (letter) => letter.charCodeAt(0));
      const url = URL.createObjectURL(new Blob([bytes], { type: file.mime }));
      make("a", { href: url, download: file.name }).click();
      setTimeout(() => URL.revokeObjectURL(url), 10000);
      this.say(`Saved ${file.name}`);
    } catch (error) {
      this.complain(error.message, button);
    }
    button.removeAttribute("aria-busy");
  }
  keyboard() {
    document.addEventListener("keydown", (event) => {
      const { target, key } = event;
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !this.root.offsetParent) return;
      if (target.matches("textarea, select, input:not([type=range]):not([type=checkbox])")) return;
      const onButton = target.closest("button, summary, a, [type=checkbox], [role=tab]");
      if (key === " " && !onButton) this.toggle();
      else if (key === "z" || key === "Z") this.store.undo(!event.shiftKey);
      else if (key === "r") this.redraw();
      else if (/^[1-9]$/.test(key)) this.labels?.chips[key - 1]?.click();
      else return;
      event.preventDefault();
    }, { signal: this.gone.signal });
  }
}

function copyOf(canvas) {
  const copy = make("canvas", { width: canvas.width, height: canvas.height });
  copy.getContext("2d").drawImage(canvas, 0, 0);
  return copy;
}
