// The page: everything above put together. `element` and `server` are given by the component that holds it.

class Page {
  constructor(element, server) {
    this.root = element.querySelector("#vg-explore");
    this.store = new Store(server);
    this.clock = new Clock();
    this.player = new Player(this.find("vg-player"), this.find("vg-film"), this.clock);
    this.peek = new Peek(this, this.find("vg-peek"));
    this.panels = [];
    this.matrix = new Matrix(this, this.find("vg-grid"));
    this.thumbs = new Map();
    this.listen();
    this.transport();
    this.keyboard();
    sharing(this);
    this.begin();
  }
  find(id) {
    return this.root.querySelector(`#${id}`);
  }
  say(words) {
    this.find("vg-say").textContent = words;
  }
  complain(message, from = null) {
    const place = from?.closest?.(".vg-panel")?.querySelector(":scope > .vg-error") || (from?.id === "vg-grid" ? this.find("vg-grid-error") : this.find("vg-error"));
    place.textContent = message;
    place.hidden = false;
  }
  quiet() {
    for (const place of this.root.querySelectorAll(".vg-error")) place.hidden = true;
  }
  async begin() {
    const { store } = this;
    try {
      const answer = await store.ask("open", { query: location.search });
      if (answer.point) await store.accept(answer, 0);
      this.releases(answer.releases);
      if (!answer.point) throw new Error(answer.complaint);
      store.past = [store.point.query];
      store.tell("settled", store.point);
      if (answer.complaint) this.complain(`${answer.complaint} Here is another clip instead.`);
      await this.matrix.fill();
      tour(this);
      this.search();
    } catch (error) {
      this.complain(error.message);
      this.find("vg-status").textContent = "";
      this.root.removeAttribute("aria-busy");
    }
  }
  // Until the strongest directions are known, ask now and then.
  async search() {
    const { store } = this;
    while (store.about.searching) {
      await new Promise((resolve) => setTimeout(resolve, 1500));
      const name = store.about.release;
      try {
        const answer = await store.ask("find", { query: store.point.query });
        if (name !== store.about.release || answer.release !== name) continue;
        if (answer.searching) {
          for (const panel of this.panels) if (panel.search) panel.search.value = answer.progress;
          continue;
        }
        store.about = answer;
        if (!store.busy && answer.point.query === store.point.query) store.point = answer.point;
        for (const panel of this.panels) {
          panel.space = answer.spaces.find((space) => space.name === panel.space.name);
          panel.fillTop();
          panel.show(store.point);
        }
        if (!store.point.spaces[answer.spaces[0].name].directions.length) await store.visit(store.point.query);
      } catch {} // asked again
    }
  }
  releases(list) {
    const select = document.getElementById("vg-release");
    select.replaceChildren(...list.map((one) => make("option", { value: one.name }, one.name)));
    this.known = new Map(list.map((one) => [one.name, one]));
    select.addEventListener("change", async () => {
      if (await this.store.go(null, "switch", { release: select.value })) {
        this.store.keep();
        await this.matrix.fill();
        this.search();
      } else select.value = this.store.about?.release ?? "";
    });
    this.facts();
  }
  facts() {
    const { about } = this.store, one = this.known?.get(about?.release);
    if (!one) return;
    document.getElementById("vg-release").value = about.release;
    const parts = [`${one.size}×${one.size}`, `${about.native} frames`];
    if (one.data) parts.push(`trained on ${one.data}`);
    document.getElementById("vg-facts").textContent = parts.join(" · ");
  }
  listen() {
    const { store } = this;
    store.addEventListener("about", ({ detail: about }) => {
      this.clock.fps = about.fps;
      this.panels = about.spaces.map((space) => new Panel(this, space));
      this.find("vg-panels").replaceChildren(...this.panels.map((panel) => panel.element));
      this.find("vg-length").replaceChildren(...about.lengths.map((frames) =>
        make("option", { value: frames }, `${frames} · ${(frames / about.fps).toFixed(1)} s`)));
      this.find("vg-spread-box").hidden = about.labels.length < 2;
      this.facts();
    });
    store.addEventListener("point", ({ detail: point }) => {
      for (const panel of this.panels) panel.show(point);
      this.find("vg-length").value = point.frames;
    });
    store.addEventListener("clip", ({ detail }) => {
      this.player.show(detail.strip, detail.frames, detail.size);
      const { model, encode, remembered } = detail.ms;
      const parts = [remembered ? "from memory" : `${Math.max(1, Math.round(model))} ms model`, `${encode.toFixed(1)} ms picture`];
      if (detail.took) parts.push(`${Math.round(detail.took)} ms to the screen`);
      this.find("vg-status").textContent = [...parts, "fp32"].join(" · ");
    });
    store.addEventListener("hand", () => this.root.setAttribute("aria-busy", "true"));
    store.addEventListener("settled", ({ detail: point }) => {
      this.root.removeAttribute("aria-busy");
      history.replaceState(history.state, "", linkTo(point.query));
      this.remember(point.query);
      this.find("vg-undo").disabled = store.past.length < 2;
      this.find("vg-redo").disabled = !store.future.length;
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
    const bar = this.find("vg-history");
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
    const { clock, store } = this, play = this.find("vg-play");
    const show = () => {
      icon(play, clock.playing ? "pause" : "play");
      play.setAttribute("aria-label", clock.playing ? "Pause" : "Play");
    };
    this.toggle = () => {
      clock.playing = !clock.playing;
      show();
    };
    icon(this.find("vg-undo"), "undo");
    icon(this.find("vg-redo"), "redo");
    this.player.onpause = show;
    show();
    play.addEventListener("click", this.toggle);
    this.find("vg-speed").addEventListener("change", (event) => (clock.speed = Number(event.target.value)));
    this.find("vg-length").addEventListener("change", (event) =>
      store.change("frames", { kind: "frames", frames: Number(event.target.value) }, event.target));
    this.find("vg-undo").addEventListener("click", () => store.undo());
    this.find("vg-redo").addEventListener("click", () => store.undo(false));
    this.redraw = () => {
      if (this.panels.every((panel) => panel.locked)) this.complain("Both halves are locked; open a lock to redraw.");
      else this.panels.forEach((panel) => panel.redraw());
    };
    this.find("vg-redraw").addEventListener("click", this.redraw);
  }
  keyboard() {
    document.addEventListener("keydown", (event) => {
      const { target, key } = event;
      if (event.ctrlKey || event.metaKey || event.altKey || !this.root.offsetParent) return;
      if (target.matches("textarea, select, input:not([type=range]):not([type=checkbox])")) return;
      const onButton = target.closest("button, summary, a, [type=checkbox], [role=tab]");
      if (key === " " && !onButton) this.toggle();
      else if (key === "z" || key === "Z") this.store.undo(!event.shiftKey);
      else if (key === "r") this.redraw();
      else if (/^[1-9]$/.test(key)) this.panels.find((panel) => panel.chips)?.chips[key - 1]?.click();
      else return;
      event.preventDefault();
    });
  }
}

new Page(element, server);
