// What the tabs have in common: the player with its buttons, the history, the keyboard, and which tab is in sight.

class Stage {
  // `element` and `server` are given by the component that holds the tab; ids in its markup begin with `prefix`
  constructor(element, server, name, prefix) {
    this.root = element.querySelector(".vg");
    this.prefix = prefix;
    this.store = new Store(server);
    this.clock = new Clock();
    this.player = new Player(this.find("player"), this.find("film"), this.clock);
    this.thumbs = new Map();
    this.shown = this.begun = false;
    this.former = SHARED.tabs[name]?.store.point?.query; // gradio builds a tab anew where its button had no room
    SHARED.tabs[name] = this;
    SHARED.masthead ??= new Masthead();
    this.listen();
    this.transport();
    this.saving();
    this.keyboard();
  }
  // Called by the tab once all its parts are there: it begins when it is first seen.
  watch() {
    new ResizeObserver(() => {
      const shown = Boolean(this.root.offsetParent);
      if (shown && !this.shown) this.come();
      this.shown = shown;
    }).observe(this.root);
  }
  find(name) {
    return this.root.querySelector(`#${this.prefix}-${name}`);
  }
  say(words) {
    this.find("say").textContent = words;
  }
  // Beside what the hand is on, or under the player
  complain(message, from = null) {
    const place = from?.closest?.(".vg-panel, .vg-matrix")?.querySelector(":scope > .vg-error") ?? this.find("error");
    place.textContent = message;
    place.hidden = false;
  }
  quiet() {
    for (const place of this.root.querySelectorAll(".vg-error")) place.hidden = true;
  }
  come() {
    if (!this.begun || this.store.point) SHARED.active = this;
    SHARED.masthead.show(this);
    this.address();
    if (this.begun) return;
    this.begun = true;
    this.root.setAttribute("aria-busy", "true");
    this.begin(this.asked());
  }
  // The link to begin with
  asked() {
    return this.former ?? (SHARED.elsewhere ? "" : SHARED.asked);
  }
  address() {
    if (this.store.point && SHARED.active === this) history.replaceState(history.state, "", linkTo(this.store.point.query));
  }
  async begin(query) {
    const { store } = this;
    try {
      const answer = await store.ask("open", { query });
      if (answer.elsewhere) return this.leave();
      this.known = new Map(answer.releases.map((one) => [one.name, one]));
      if (answer.point) await store.accept(answer, 0);
      SHARED.masthead.show(this);
      if (!answer.point) return this.empty(answer.complaint);
      store.past = [store.point.query];
      store.tell("settled", store.point);
      if (answer.complaint) this.complain(`${answer.complaint} Here is another clip instead.`);
      await this.opened();
    } catch (error) {
      this.empty(error.message);
    }
  }
  // The link is for another tab, which opens it; here nothing has begun.
  leave() {
    this.begun = false;
    this.root.removeAttribute("aria-busy");
  }
  async opened() {}
  empty(complaint) {
    this.complain(complaint);
    this.find("status").textContent = "";
    this.root.removeAttribute("aria-busy");
  }
  async choose(name) {
    if (await this.store.go(null, "switch", { release: name })) {
      this.store.keep();
      await this.opened();
    } else SHARED.masthead.show(this);
  }
  listen() {
    const { store } = this;
    store.addEventListener("about", ({ detail: about }) => {
      this.clock.fps = about.fps;
      this.find("length").closest("label").hidden = !about.lengths;
      SHARED.masthead.show(this);
    });
    store.addEventListener("clip", ({ detail }) => {
      this.player.show(detail.strip, detail.frames, detail.size);
      const { model, encode, remembered } = detail.ms;
      const parts = [remembered ? "from memory" : `${Math.max(1, Math.round(model))} ms model`, `${encode.toFixed(1)} ms picture`];
      if (detail.took) parts.push(`${Math.round(detail.took)} ms to the screen`);
      this.find("status").textContent = [...parts, "fp32"].join(" · ");
    });
    store.addEventListener("hand", () => this.root.setAttribute("aria-busy", "true"));
    store.addEventListener("settled", ({ detail: point }) => {
      this.root.removeAttribute("aria-busy");
      this.address();
      this.remember(point.query);
      this.find("undo").disabled = store.past.length < 2;
      this.find("redo").disabled = !store.future.length;
    });
    store.addEventListener("trouble", ({ detail }) => this.complain(detail.message, detail.from));
    store.addEventListener("fine", () => this.quiet());
  }
  // The last few places, as small pictures
  remember(query) {
    const { strip, width, height } = this.player;
    const canvas = make("canvas", { width: 48, height: 48 });
    canvas.getContext("2d").drawImage(strip, Math.floor(this.player.frames / 2) * width, 0, width, height, 0, 0, 48, 48);
    this.thumbs.set(query, canvas);
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
      if (this.thumbs.has(place)) {
        const copy = make("canvas", { width: 48, height: 48 });
        copy.getContext("2d").drawImage(this.thumbs.get(place), 0, 0);
        button.append(copy);
      }
      return button;
    }));
    for (const known of this.thumbs.keys()) if (!this.store.past.includes(known)) this.thumbs.delete(known);
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
    const { store } = this;
    for (const button of this.root.querySelectorAll("[data-save]"))
      button.addEventListener("click", async () => {
        await store.idle();
        if (!store.point) return;
        button.setAttribute("aria-busy", "true");
        try {
          const file = await store.ask("take", { query: store.point.query, format: button.dataset.save });
          const bytes = Uint8Array.from(atob(file.data), (letter) => letter.charCodeAt(0));
          const url = URL.createObjectURL(new Blob([bytes], { type: file.mime }));
          make("a", { href: url, download: file.name }).click();
          setTimeout(() => URL.revokeObjectURL(url), 10000);
          this.say(`Saved ${file.name}`);
        } catch (error) {
          this.complain(error.message);
        }
        button.removeAttribute("aria-busy");
      });
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
    });
  }
}
