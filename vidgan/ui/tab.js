// What all tabs have in common: the clock, complaints, downloads, and which tab is in sight.

class Tab {
  // `element` and `server` are given by the component that holds the tab; ids in its markup begin with `prefix`
  constructor(element, server, name, prefix, store) {
    this.root = element.querySelector(".vg");
    Object.assign(this, { name, prefix, store, shown: false, begun: false, heard: [], gone: new AbortController() });
    Object.assign(store.server, server);
    this.clock = new Clock();
    this.former = SHARED.tabs[name]; // gradio builds a tab anew where its button had no room
    this.former?.gone.abort();
    SHARED.tabs[name] = this;
    SHARED.masthead ??= new Masthead();
  }
  // What the store tells, as long as this tab is there
  on(name, hear) {
    this.heard.push([name, hear]);
    this.store.addEventListener(name, ({ detail }) => hear(detail), { signal: this.gone.signal });
  }
  // Called by the tab once all its parts are there: it begins when it is first seen.
  watch() {
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
  // Where an error belongs: beside what the hand is on, or where the tab has a place for all
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
  // What the link adds to the point, by name
  extras() {
    return {};
  }
  link() {
    return linkTo(this.store.point.query, this.extras());
  }
  address() {
    if (this.store.point && SHARED.active === this) history.replaceState(history.state, "", this.link());
  }
  // The button that plays and pauses, and the speed; returns what shows whether it plays.
  playing() {
    const { clock } = this, play = this.find("play");
    const show = () => {
      icon(play, clock.playing ? "pause" : "play");
      play.setAttribute("aria-label", clock.playing ? "Pause" : "Play");
    };
    this.toggle = () => {
      clock.playing = !clock.playing;
      show();
    };
    show();
    play.addEventListener("click", this.toggle);
    this.find("speed").addEventListener("change", (event) => (clock.speed = Number(event.target.value)));
    return show;
  }
  // What keys do while the tab is in sight: space plays, hear(key, event) says of others whether they were its own.
  keys(hear) {
    document.addEventListener("keydown", (event) => {
      const { target, key } = event;
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !this.root.offsetParent) return;
      if (target.matches("textarea, select, input:not([type=range]):not([type=checkbox])")) return;
      const onButton = target.closest("button, summary, a, [type=checkbox], [role=tab]");
      if (key === " " && !onButton) this.toggle();
      else if (!hear(key, event)) return;
      event.preventDefault();
    }, { signal: this.gone.signal });
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
}
