// What has been measured of several releases: a row for each metric and protocol.

const SCALES = "The same, measured of real clips, frozen on their first frame or with frames shuffled, or of the picture standing still";

function inDigits(value) {
  const size = Math.abs(value), places = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return value.toFixed(places).replace("-", "−");
}

// rows as explore/measured.py has them; names of the releases
function measuredTable(rows, names) {
  if (!rows.length) return make("p", { class: "vg-quiet" }, "Nothing has been measured of these releases yet.");
  const body = make("tbody", {}, ...rows.flatMap((row, i) => measuredRow(row, names, `vc-how-${i}`)));
  const head = make("thead", {}, make("tr", {}, make("td", {}), ...names.map((name) => make("th", { scope: "col" }, name))));
  const table = make("table", { class: "vc-table", style: `--columns: ${names.length}` }, head, body);
  if (rows.some(({ values }) => values.filter((value) => value !== null).length > 1)) return table;
  const alone = "No two of these numbers were measured in the same way: none is better than another.";
  return make("div", {}, make("p", { class: "vg-quiet" }, alone), table);
}

function measuredRow(row, names, id) {
  const { name, protocol, values, intervals, best, scales, meaning } = row;
  const between = ([low, high]) => (inDigits(low) === inDigits(high) ? inDigits(low) : `${inDigits(low)} to ${inDigits(high)}`);
  const missing = names.filter((_, i) => values[i] === null);
  const how = make("tr", { class: "vc-how", id, hidden: true }, make("td", { colspan: names.length + 1 },
    meaning ? make("p", {}, meaning) : null,
    make("ul", {}, ...protocol.map((words) => make("li", {}, words)),
      ...names.map((one, i) => intervals[i] && make("li", {}, `${one}: 95% interval ${between(intervals[i])}`)).filter(Boolean),
      missing.length ? make("li", {}, `not measured in this way: ${missing.join(", ")}`) : null)));
  const button = make("button", {
    type: "button", class: "vc-name", title: protocol.join(" · "), "aria-expanded": "false", "aria-controls": id,
    onclick: () => {
      how.hidden = !how.hidden;
      button.setAttribute("aria-expanded", !how.hidden);
    },
  }, name);
  const scale = Object.entries(scales).map(([what, range]) => `${what} ${between(range)}`).join(" · ");
  const cells = values.map((value, i) => {
    if (value === null) {
      const why = `${names[i]} was not measured in this way`;
      return make("td", { title: why }, make("span", { "aria-hidden": "true" }, "—"), make("span", { class: "vg-sr" }, why));
    }
    const title = intervals[i] ? `95% interval ${between(intervals[i])}` : null;
    return make("td", { title, class: i === best ? "vc-best" : null }, inDigits(value), i === best ? make("span", { class: "vg-sr" }, ", the best") : null);
  });
  return [make("tr", {}, make("th", { scope: "row" }, button, scale ? make("small", { title: SCALES }, scale) : null), ...cells), how];
}
