// A table over columnar data: sorts by any column, filters by text and by value, and keeps the page small by
// showing the first rows and the rest on demand.
//
// A column is { key, title, value(row), show?(row), number?, choices?, wide?, code? } where a row is an index; `choices`
// offers its values to choose from, or the groups that a function puts rows in.

const ROWS_AT_FIRST = 100;
const ROWS_MORE = 400;

class DataTable {
  constructor({ id, caption, columns, count, sortBy, descending = false, rowId, what = "row", filterFrom = 2 }) {
    Object.assign(this, { id, columns, count, rowId, what, filterFrom });
    this.sort = { key: sortBy ?? columns[0].key, descending };
    this.text = "";
    this.chosen = new Map();
    this.limit = ROWS_AT_FIRST;
    this.found = element("output", { class: "found" });
    this.body = element("tbody");
    this.more = element("button", { type: "button", class: "more", onclick: () => this.showMore() });
    this.heads = new Map(columns.map((column) => [column.key, this.head(column)]));
    this.box = element(
      "div",
      { class: "data", id },
      this.filters(),
      element(
        "div",
        { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
        element(
          "table",
          {},
          element("caption", { class: "unseen" }, caption),
          element("thead", {}, element("tr", {}, [...this.heads.values()])),
          this.body,
        ),
      ),
      this.more,
    );
    this.update();
  }

  head(column) {
    const sort = element(
      "button",
      { type: "button", onclick: () => this.sortBy(column.key) },
      column.title,
      column.unit && element("small", {}, ` ${column.unit}`),
    );
    return element(
      "th",
      { scope: "col", class: column.number && "number", "data-key": column.key, title: column.help },
      sort,
    );
  }

  filters() {
    if (this.count < this.filterFrom) return element("div", { class: "filters" });
    const choices = this.columns
      .filter((column) => column.choices)
      .map((column) => this.choices(column))
      .filter(Boolean);
    return element(
      "div",
      { class: "filters" },
      searchField("Filter by text", (text) => this.filter(text)),
      choices,
      this.found,
    );
  }

  choices(column) {
    const values = new Set();
    for (let row = 0; row < this.count; row += 1) values.add(groupOf(column, row));
    if (values.size < 2 || values.size > 20) return null;
    const options = [["*", "all"], ...[...values].sort().map((value) => [`=${value}`, value || "none"])];
    return choice(column.title, options, (value) => {
      if (value === "*") this.chosen.delete(column.key);
      else this.chosen.set(column.key, value.slice(1));
      this.update();
    });
  }

  filter(text) {
    this.text = text.trim().toLowerCase();
    this.limit = ROWS_AT_FIRST;
    this.update();
  }

  sortBy(key) {
    this.sort = { key, descending: this.sort.key === key && !this.sort.descending };
    this.update();
  }

  showMore() {
    this.limit += ROWS_MORE;
    this.update();
  }

  // Clears what hides a row, shows it and marks it.
  highlight(row) {
    if (!this.rows.includes(row)) {
      this.text = "";
      this.chosen.clear();
      for (const field of this.box.querySelectorAll(".filters input")) field.value = "";
      for (const field of this.box.querySelectorAll(".filters select")) field.selectedIndex = 0;
      this.update();
    }
    const place = this.rows.indexOf(row);
    if (place >= this.limit) {
      this.limit = place + ROWS_AT_FIRST;
      this.update();
    }
    for (const old of this.body.querySelectorAll(".highlight")) old.classList.remove("highlight");
    const line = this.body.children[place];
    if (!line) return;
    line.classList.add("highlight");
    line.setAttribute("tabindex", "-1");
    line.focus({ preventScroll: true });
    reveal(line);
  }

  update() {
    const column = this.columns.find((one) => one.key === this.sort.key);
    this.rows = this.matching().sort(
      (a, b) => compareValues(column.value(a), column.value(b), this.sort.descending) || a - b,
    );
    this.body.replaceChildren(...this.rows.slice(0, this.limit).map((row) => this.line(row)));
    for (const [key, head] of this.heads) {
      if (key === this.sort.key)
        head.setAttribute("aria-sort", this.sort.descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    const left = this.rows.length - this.limit;
    this.more.hidden = left <= 0;
    this.more.textContent = `Show ${formatNumber(Math.min(left, ROWS_MORE))} more of ${formatNumber(left)}`;
    this.found.textContent =
      this.rows.length === this.count
        ? plural(this.count, this.what)
        : `${formatNumber(this.rows.length)} of ${plural(this.count, this.what)}`;
  }

  matching() {
    const rows = [];
    for (let row = 0; row < this.count; row += 1) if (this.matches(row)) rows.push(row);
    return rows;
  }

  matches(row) {
    for (const [key, wanted] of this.chosen) {
      if (
        groupOf(
          this.columns.find((one) => one.key === key),
          row,
        ) !== wanted
      )
        return false;
    }
    return (
      !this.text ||
      this.columns.some((column) =>
        String(column.value(row) ?? "")
          .toLowerCase()
          .includes(this.text),
      )
    );
  }

  line(row) {
    return element(
      "tr",
      { id: this.rowId?.(row) },
      this.columns.map((column) =>
        element(
          "td",
          {
            class:
              [column.number && "number", column.wide && "wide", column.code && "code"]
                .filter(Boolean)
                .join(" ") || null,
          },
          column.show ? column.show(row) : String(column.value(row) ?? UNKNOWN),
        ),
      ),
    );
  }
}

const groupOf = (column, row) =>
  String((typeof column.choices === "function" ? column.choices(row) : column.value(row)) ?? "");

// What is unknown stays last, whichever way the rest is sorted.
function compareValues(a, b, descending) {
  const [noA, noB] = [a === null || a === undefined || a === "", b === null || b === undefined || b === ""];
  if (noA || noB) return noA - noB;
  const order =
    isNumber(a) && isNumber(b) ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
  return descending ? -order : order;
}
