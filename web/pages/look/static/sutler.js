// Sutler's script. Every page works without it; it adds live states, copying and a few keys.
"use strict";

document.documentElement.classList.add("script");

// Copying. The buttons are hidden where they could not work.
const copyButtons = (root) => {
  if (!navigator.clipboard) return;
  for (const b of root.querySelectorAll("[data-copy]")) b.hidden = false;
};
copyButtons(document);

document.addEventListener("click", async (e) => {
  const b = e.target.closest("[data-copy]");
  if (b) {
    await navigator.clipboard.writeText(b.dataset.copy);
    const label = b.querySelector("span");
    const words = label?.textContent;
    const done = (yes) => {
      b.classList.toggle("done", yes);
      if (label) label.textContent = yes ? "Copied" : words;
    };
    if (!b.classList.contains("done")) {
      done(true);
      setTimeout(() => done(false), 1200);
    }
  }
  for (const m of document.querySelectorAll("details.menu[open]")) {
    if (!m.contains(e.target)) m.open = false;
  }
});

// In a narrow window the navigation scrolls sideways: the current entry is brought into sight.
const side = document.querySelector("nav.side");
const here = side?.querySelector("[aria-current]");
if (here) side.scrollLeft = here.offsetLeft - (side.clientWidth - here.offsetWidth) / 2;

// "/" goes to the search field, Escape closes menus.
document.addEventListener("keydown", (e) => {
  if (e.key === "Escape") {
    for (const m of document.querySelectorAll("details.menu[open]")) m.open = false;
  }
  const typing = e.target.closest("input, textarea, select, [contenteditable]");
  if (e.key !== "/" || typing || e.ctrlKey || e.metaKey || e.altKey) return;
  const fields = [...document.querySelectorAll("[data-search], .find input")];
  const field = fields.find((f) => f.offsetParent);
  if (field) {
    e.preventDefault();
    field.focus();
    field.select();
  }
});

// A form that changes something is sent once, however often its button is pressed.
document.addEventListener("submit", (e) => {
  const form = e.target;
  if (!("once" in form.dataset) || e.submitter?.formMethod === "get") return;
  if (form.dataset.sent) e.preventDefault();
  form.dataset.sent = "yes";
});
addEventListener("pageshow", () => {
  for (const f of document.querySelectorAll("form[data-sent]")) delete f.dataset.sent;
});

// Another plan has another form: the page is asked for again with what was typed.
document.addEventListener("change", (e) => {
  if (!e.target.matches("[data-preview]")) return;
  const button = document.querySelector("[data-preview-button]");
  if (button) e.target.form.requestSubmit(button);
});

// Times are shown in the reader's own zone when hovered.
const localTimes = (root) => {
  for (const t of root.querySelectorAll("time[datetime]")) {
    const at = new Date(t.dateTime);
    if (!isNaN(at)) t.title = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
  }
};
localTimes(document);

// Live parts: when the market says that something changed, the page is fetched again and its live parts are put in place.
const events = document.body.dataset.events;
if (events) {
  const stale = document.getElementById("stale");
  const mark = document.querySelector("[data-live-mark]");
  let beat = Date.now();
  let asked = 0;
  let timer;

  const live = (yes) => {
    if (stale) stale.hidden = yes;
    if (mark) mark.hidden = !yes;
  };
  const refresh = async () => {
    const turn = ++asked;
    const answer = await fetch(location.pathname + location.search, { headers: { Accept: "text/html" }, redirect: "error" });
    if (!answer.ok || turn !== asked) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const old of document.querySelectorAll("[data-live]")) {
      const now = fresh.getElementById(old.id);
      if (!now || now.innerHTML === old.innerHTML || old.dataset.touched || old.contains(document.activeElement)) continue;
      old.replaceChildren(...now.childNodes);
      copyButtons(old);
      localTimes(old);
    }
  };
  document.addEventListener("input", (e) => { // what somebody is typing is never replaced
    const part = e.target.closest("[data-live]");
    if (part) part.dataset.touched = "yes";
  });
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(() => refresh().catch(() => live(false)), 80);
  };

  const source = new EventSource(events);
  source.addEventListener("open", () => {
    beat = Date.now();
    live(true);
    soon(); // also the first time: something may have changed since the page was made
  });
  source.addEventListener("beat", () => { beat = Date.now(); });
  source.addEventListener("change", () => { beat = Date.now(); soon(); });
  source.addEventListener("error", () => live(false));
  setInterval(() => { if (document.querySelector("#live-pending > i")) soon(); }, 3000); // how far a copy is says no event
  setInterval(() => { if (Date.now() - beat > 40000) live(false); }, 5000);
  addEventListener("pagehide", () => source.close());
}
