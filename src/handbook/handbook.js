"use strict";
// Everything works without this: it adds a filter of rules, marks the chapter
// in view, folds the contents on small screens and unfolds all for print.
(() => {
  const find = document.getElementById("find");
  const input = document.getElementById("filter");
  const found = document.getElementById("found");
  const rules = [...document.querySelectorAll("article.rule")];
  const texts = rules.map((rule) => rule.textContent.toLowerCase());
  document.querySelectorAll("section.chapter").forEach((chapter) => {
    if (!chapter.querySelector("article.rule")) chapter.classList.add("reference");
  });
  const groups = [...document.querySelectorAll("section.section, section.chapter")]
    .map((group) => [group, [...group.querySelectorAll("article.rule")]])
    .filter(([, inside]) => inside.length > 0);
  const filter = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rules.forEach((rule, index) => {
      rule.hidden = !words.every((word) => texts[index].includes(word));
      if (!rule.hidden) shown += 1;
    });
    groups.forEach(([group, inside]) => { group.hidden = inside.every((rule) => rule.hidden); });
    document.body.classList.toggle("filtering", words.length > 0);
    if (words.length > 0) scrollTo(0, 0);
    found.textContent = words.length === 0 ? "" : `${shown} of ${rules.length} rules shown`;
  };
  let wait;
  input.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(filter, 120); });
  find.hidden = false;
  // A link to a rule that the filter hides shows it.
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.closest("[hidden]")) { input.value = ""; filter(); }
    if (target instanceof HTMLDetailsElement) target.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  if (location.hash) reveal();

  const menu = document.querySelector("#nav details.menu");
  const wide = matchMedia("(min-width: 72rem)");
  const fold = () => { menu.open = wide.matches; };
  wide.addEventListener("change", fold);
  fold();
  menu.addEventListener("click", (event) => { if (event.target.closest("a") && !wide.matches) menu.open = false; });

  const links = new Map([...menu.querySelectorAll("ol a")].map((link) => [link.hash.slice(1), link]));
  const seen = new IntersectionObserver((entries) => {
    entries.filter((entry) => entry.isIntersecting).forEach((entry) => {
      links.forEach((link) => link.removeAttribute("aria-current"));
      const link = links.get(entry.target.id);
      link.setAttribute("aria-current", "true");
      if (wide.matches) link.scrollIntoView({ block: "nearest" });
    });
  }, { rootMargin: "-10% 0px -85% 0px" });
  links.forEach((_, id) => { const target = document.getElementById(id); if (target) seen.observe(target); });

  let unfolded = [];
  addEventListener("beforeprint", () => {
    unfolded = [...document.querySelectorAll("details:not([open])")];
    unfolded.forEach((one) => { one.open = true; });
  });
  addEventListener("afterprint", () => { unfolded.forEach((one) => { one.open = false; }); });
})();
