// The blind test: which of two clips is more realistic? The browser learns whose they are by its vote, and keeps that.

const VOTES = "vidgan.votes";
const MOST_VOTES = 5000;

// What is kept; a browser that keeps nothing has votes as long as the page is open
const Ballots = {
  here: [],
  read() {
    try {
      const kept = JSON.parse(localStorage.getItem(VOTES) ?? "[]");
      return Array.isArray(kept) ? kept.filter((vote) => vote?.left && vote.right && vote.chosen && vote.seeds) : [];
    } catch {
      return this.here;
    }
  },
  write(votes) {
    this.here = votes.slice(-MOST_VOTES);
    try {
      if (votes.length) localStorage.setItem(VOTES, JSON.stringify(this.here));
      else localStorage.removeItem(VOTES);
    } catch {}
  },
  add(vote) {
    this.write([...this.read(), vote]);
  },
};

// votes -> [{name, wins, votes, against: Map of name -> {wins, votes}}], the most often chosen first
function tallied(votes) {
  const makers = new Map();
  const count = (one, other, won) => {
    if (!makers.has(one)) makers.set(one, { name: one, wins: 0, votes: 0, against: new Map() });
    const maker = makers.get(one), pair = maker.against.get(other) ?? { wins: 0, votes: 0 };
    maker.against.set(other, pair);
    for (const sum of [maker, pair]) {
      sum.votes += 1;
      sum.wins += won;
    }
  };
  for (const { left, right, chosen } of votes) {
    count(left, right, chosen === left ? 1 : 0);
    count(right, left, chosen === right ? 1 : 0);
  }
  return [...makers.values()].sort((a, b) => b.wins / b.votes - a.wins / a.votes);
}

// A vote a row; quoted, since labels may hold any sign
function asCsv(votes) {
  const cell = (value) => `"${String(value ?? "").replaceAll('"', '""')}"`;
  const rows = votes.map(({ time, data, left, right, chosen, seeds, label }) => [time, data, left, right, chosen, seeds.left, seeds.right, label]);
  return [["time", "data", "left", "right", "chosen", "seed_left", "seed_right", "label"], ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}

class Blind {
  constructor(tab) {
    Object.assign(this, { tab, store: tab.store, releases: null, pair: null, ahead: null, near: false, voted: false, asked: null });
    this.element = tab.find("blind");
    this.choices = ["left", "right"].map((side) => {
      const canvas = make("canvas", { width: 64, height: 64 });
      const button = make("button", {
        type: "button", class: "vc-choice", disabled: true, "data-side": side, "aria-label": `The ${side} clip is more realistic`,
        onclick: () => this.vote(side),
      }, canvas, make("span", {}, side === "left" ? "← this one" : "this one →"));
      return { side, canvas, button, strip: null };
    });
    tab.find("pair").replaceChildren(...this.choices.map(({ button }) => button));
    tab.find("skip").addEventListener("click", () => this.next());
    tab.find("clear").addEventListener("click", () => this.clear());
    tab.find("ballots").replaceChildren(make("span", { class: "vg-quiet" }, "Save"), ...["json", "csv"].map((kind) =>
      make("button", { type: "button", class: "vg-button", "data-save": kind, title: "All votes", onclick: () => this.save(kind) }, kind)));
    tab.clock.painters.add((tick) => this.paint(tick));
    new IntersectionObserver(([{ isIntersecting }]) => {
      this.near = isIntersecting;
      this.look();
    }, { threshold: 0.3 }).observe(this.element);
    addEventListener("storage", ({ key }) => key === VOTES && this.show(), { signal: tab.gone.signal });
  }
  // Other releases: the pair on the table is not theirs.
  build({ releases, data, real }) {
    Object.assign(this, { releases, data, ahead: null });
    this.tab.find("real").textContent = real ? "Real ones are among them: drawn faces that no network has learnt from."
      : "Real clips are left out: only those that we draw ourselves may be shown here.";
    this.show();
    this.look();
  }
  // Begins once it is in sight and the columns are there.
  async look() {
    await this.tab.filled;
    if (this.near && this.releases && this.asked !== String(this.releases)) this.next();
  }
  async ask() {
    const answer = await this.store.ask("pair", { releases: this.releases });
    const strips = await Promise.all([answer.left, answer.right].map(decodeStrip));
    return { ...answer, strips };
  }
  async next() {
    const turn = (this.turn = {});
    this.asked = String(this.releases);
    this.pair = null;
    this.close(true);
    try {
      const pair = (await this.ahead) ?? (await this.ask());
      if (turn !== this.turn) return;
      this.ahead = null;
      this.put(pair);
      if (this.voted) this.ahead = this.ask().catch(() => null);
    } catch (error) {
      if (turn === this.turn) this.tab.complain(error.message, this.element);
    }
  }
  put(pair) {
    this.pair = pair;
    this.choices.forEach((choice, i) => {
      choice.strip = pair.strips[i];
      Object.assign(choice.canvas, { width: choice.strip.height, height: choice.strip.height });
    });
    this.close(false);
    this.paint(this.tab.clock.tick);
  }
  close(closed) {
    for (const { button } of this.choices) button.toggleAttribute("aria-busy", closed);
    for (const { button } of this.choices) if (!closed || !this.voted) button.disabled = closed; // keeps the focus
  }
  paint(tick) {
    for (const { canvas, strip } of this.choices) {
      if (!strip || !this.pair) continue;
      const side = strip.height, frame = Math.floor((tick * this.pair.rate) / this.tab.clock.fps) % this.pair.frames;
      canvas.getContext("2d").drawImage(strip, frame * side, 0, side, side, 0, 0, side, side);
    }
  }
  async vote(choice) {
    const { pair, data } = this;
    if (!pair) return;
    this.pair = null;
    this.voted = true;
    try {
      const told = await this.store.ask("vote", { token: pair.token, choice });
      Ballots.add({ time: new Date().toISOString(), data, ...told });
      this.tab.calm(this.element);
      this.show();
    } catch (error) {
      this.tab.complain(error.message, this.element);
    }
    await this.next();
  }
  // A key that is held down votes once.
  key(key, { target, repeat }) {
    const side = { ArrowLeft: "left", ArrowRight: "right" }[key];
    if (!this.near || !(side || key === "s") || target.closest("[role=tab], [role=slider]")) return false;
    if (this.pair && !repeat) side ? this.vote(side) : this.next();
    return true;
  }
  // How many votes there are, and, where that is asked for, for whom
  show() {
    const votes = Ballots.read(), mine = votes.filter(({ data }) => data === this.data);
    const words = (count) => `${count} ${count === 1 ? "vote" : "votes"}`;
    this.tab.find("votes").textContent = mine.length ? words(mine.length) : "";
    this.tab.find("clear").textContent = "Clear the votes";
    this.tab.find("ballots").hidden = this.tab.find("tally").hidden = !votes.length;
    const makers = tallied(mine);
    const rate = ({ wins, votes }) => `${percent(wins / votes)} of ${votes}`;
    const head = make("tr", {}, make("td", {}), make("th", { scope: "col" }, "chosen"), ...makers.map(({ name }) => make("th", { scope: "col" }, `against ${name}`)));
    const rows = makers.map((maker) => make("tr", {}, make("th", { scope: "row" }, maker.name), make("td", {}, rate(maker)),
      ...makers.map(({ name }) => make("td", {}, maker.against.has(name) ? rate(maker.against.get(name)) : ""))));
    this.tab.find("tallied").replaceChildren(makers.length
      ? make("table", { class: "vc-table" }, make("thead", {}, head), make("tbody", {}, ...rows))
      : make("p", { class: "vg-quiet" }, `No votes on this data yet; ${words(votes.length)} on other data.`));
  }
  clear() {
    const button = this.tab.find("clear"), sure = "Really clear all of them?";
    if (button.textContent !== sure) return void (button.textContent = sure);
    Ballots.write([]);
    this.tab.find("tally").open = false;
    this.show();
    this.tab.say("The votes are cleared");
  }
  save(kind) {
    const votes = Ballots.read(), text = kind === "csv" ? asCsv(votes) : `${JSON.stringify(votes, null, 1)}\n`;
    const url = URL.createObjectURL(new Blob([text], { type: kind === "csv" ? "text/csv" : "application/json" }));
    make("a", { href: url, download: `vidgan-votes.${kind}` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }
}
